use super::super::stub::Stub;
use super::*;
use crate::kernel::apart::{Apart, forked};
use crate::lesson::{Connect, Spot};

/// An answer to the question for a name: what the header says, and the records behind the question.
fn told(name: &str, code: u8, records: &[&[u8]]) -> Vec<u8> {
    let mut message = question(name, [7, 9]);
    message[2..4].copy_from_slice(&[0x84, code]);
    message[7] = records.len() as u8;
    records.iter().for_each(|record| message.extend(*record));
    message
}

/// One of the question's own name.
fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    [&[192, 12, 0, kind, 0, 1, 0, 0, 0, 9, 0, data.len() as u8], data].concat()
}

#[test]
fn the_file_names_three_servers_at_most() {
    let of = |file: &str| servers(file).iter().map(IpAddr::to_string).collect::<Vec<_>>();
    assert_eq!(of(""), ["127.0.0.1"]);
    assert_eq!(of("# nameserver 10.0.0.1\nsearch box\n"), ["127.0.0.1"]);
    assert_eq!(of("nameserver 10.1.0.1\noptions edns0\nnameserver\t::1 # ours\n"), ["10.1.0.1", "::1"]);
    assert_eq!(of(&"nameserver 10.1.0.1\n".repeat(5)).len(), 3);
    assert_eq!(of("nameserver nobody\n"), ["127.0.0.1"]);
}

#[test]
fn a_question_has_the_labels_of_the_name() {
    assert_eq!(question("db.box.", [1, 2]), *b"\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x02db\x03box\0\0\x01\0\x01");
}

#[test]
fn the_first_address_of_an_answer_counts() {
    let (ip, alias) = (record(1, &[10, 1, 0, 1]), record(5, b"\x02db\xc0\x0c"));
    let six = record(28, &[0; 16]);
    let good = Some(Ok(Ipv4Addr::new(10, 1, 0, 1)));
    assert_eq!(read(&told("x.box", 0, &[&ip]), [7, 9]), good);
    assert_eq!(read(&told("x.box", 0, &[&alias, &six, &ip]), [7, 9]), good);
    assert_eq!(read(&told("x.box", 0, &[&alias]), [7, 9]), Some(Err("NODATA")));
    assert_eq!(read(&told("x.box", 0, &[]), [7, 9]), Some(Err("NODATA")));
    for (code, word) in [(2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (4, "RCODE")] {
        assert_eq!(read(&told("x.box", code, &[&ip]), [7, 9]), Some(Err(word)));
    }
}

#[test]
fn what_is_no_answer_to_the_question_is_none() {
    let whole = told("x.box", 0, &[&record(1, &[10, 1, 0, 1])]);
    assert_eq!(read(&whole, [7, 8]), None);
    assert_eq!(read(&question("x.box", [7, 9]), [7, 9]), None);
    // Cut anywhere it is none, and never a panic.
    assert!((0..whole.len()).all(|length| read(&whole[..length], [7, 9]).is_none()));
    let mut strange = whole.clone();
    strange[12] = 0x80;
    assert_eq!(read(&strange, [7, 9]), None);
}

#[test]
fn a_process_that_is_gone_has_no_servers() {
    let resolved = resolve(Pid(i32::MAX), "x.box");
    assert_eq!((resolved.address, resolved.why.as_deref()), (None, Some("ENOENT")));
}

#[test]
fn what_is_not_asked_for_properly_is_an_error() {
    let why = |words: &[&str]| answer(&words.iter().map(ToString::to_string).collect::<Vec<_>>()).why;
    assert_eq!(why(&["x", "x.box"]).as_deref(), Some("EINVAL"));
    assert_eq!(why(&["1"]).as_deref(), Some("EINVAL"));
    assert_eq!(why(&[&i32::MAX.to_string(), "x.box"]).as_deref(), Some("ENOENT"));
}

/// A server at this address that sends these messages for each question, with the identifier of the question. It ends with the
/// question for `end`, and gives the labels that it was asked for.
fn serve(
    at: [u8; 4],
    port: u16,
    told: impl Fn() -> Vec<Vec<u8>> + Send + 'static,
) -> (u16, std::thread::JoinHandle<Vec<Vec<u8>>>) {
    let socket = UdpSocket::bind((Ipv4Addr::from(at), port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = socket.local_addr().unwrap().port();
    let work = move || {
        let mut asked = Vec::new();
        loop {
            let mut buffer = [0; 512];
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let label = buffer[HEADER + 1..][..usize::from(buffer[HEADER])].to_vec();
            if label == b"end" {
                return asked;
            }
            asked.push(label);
            for mut message in told() {
                if message.len() > 2 {
                    message[..2].copy_from_slice(&buffer[..2]);
                }
                socket.send_to(&message, from).unwrap();
            }
            assert!(length > HEADER);
        }
    };
    (port, std::thread::spawn(work))
}

/// Ends it.
fn end(at: [u8; 4], port: u16, server: std::thread::JoinHandle<Vec<Vec<u8>>>) -> Vec<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(&question("end", [0, 0]), (Ipv4Addr::from(at), port)).unwrap();
    server.join().unwrap()
}

#[test]
fn servers_are_asked_until_one_has_an_answer() {
    let [first, second] = [[127, 0, 0, 1], [127, 0, 0, 2]];
    let good = || told("x.box", 0, &[&record(1, &[10, 1, 0, 1])]);
    // What is no answer is passed over.
    let (port, one) = serve(second, 0, move || vec![b"?".to_vec(), good()]);
    let servers = [first, second].map(IpAddr::from);
    let resolved = ask_all(&servers, port, "*.box");
    let expected =
        Resolved { name: "*.box".into(), address: Some("10.1.0.1".into()), why: None, server: "127.0.0.2".into() };
    assert_eq!(resolved, expected, "nobody listens at the first one");
    assert_eq!(ask_all(&servers[..1], port, "x.box").why.as_deref(), Some("ECONNREFUSED"));
    ask_all(&servers[1..], port, "*.box");
    let asked = end(second, port, one);
    assert!(asked.len() == 2 && asked[0] != asked[1] && asked.iter().all(|label| label.len() > 1), "{asked:?}");
}

#[test]
fn that_there_is_no_such_name_is_an_answer_and_a_failure_is_none() {
    let [first, second] = [[127, 0, 0, 3], [127, 0, 0, 4]];
    for (code, last, why) in [(3, first, "NXDOMAIN"), (2, second, "REFUSED")] {
        let (port, one) = serve(first, 0, move || vec![told("x.box", code, &[])]);
        let (_, other) = serve(second, port, || vec![told("x.box", 5, &[])]);
        let resolved = ask_all(&[first, second].map(IpAddr::from), port, "x.box");
        assert_eq!((resolved.server, resolved.why.as_deref()), (IpAddr::from(last).to_string(), Some(why)));
        assert_eq!(end(first, port, one).len() + end(second, port, other).len(), if last == first { 1 } else { 2 });
    }
}

#[test]
fn a_server_that_is_silent_is_given_up() {
    let (port, silent) = serve([127, 0, 0, 5], 0, Vec::new);
    let (began, patience) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(ask(([127, 0, 0, 5], port).into(), "x.box", [1, 2], patience), Err("ETIMEDOUT".into()));
    assert!(began.elapsed() >= patience);
    assert_eq!(end([127, 0, 0, 5], port, silent), [b"x"]);
}

#[test]
fn a_step_asks_for_its_names() {
    let stub = Stub::new();
    let mut reader = Reader::new(Path::new("/proc"), &stub.exe());
    let connect = Connect { from: Spot::Inside, ip: Ipv4Addr::LOCALHOST, port: 80 };
    reader.extra.probes = vec![Probe::Connect(connect), Probe::Name("*.box".into())];
    let failed = failed(Errno::EPERM);
    stub.say(&failed);
    // The child does not know what it was asked for where it got no further than the network.
    assert_eq!(reader.resolved(Pid(30)), [Resolved { name: "*.box".into(), ..failed }]);
    assert_eq!(stub.asked(), ["names 30 *.box"]);
}

#[test]
#[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
fn a_name_is_asked_for_in_the_network_of_the_process() {
    let apart = Apart::new();
    let args = [apart.pid().to_string(), "x.box".into()];
    let told = forked(|| serde_json::to_string(&answer(&args)).unwrap());
    let resolved: Resolved = serde_json::from_str(&told).unwrap();
    assert_eq!((resolved.name.as_str(), resolved.why.as_deref()), ("x.box", Some("ENETUNREACH")));
    // It sees the same file there.
    let file = crate::kernel::text::read("/etc/resolv.conf").unwrap_or_default();
    assert_eq!(resolved.server, servers(&file).last().unwrap().to_string());
}

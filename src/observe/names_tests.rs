use super::*;

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
    assert_eq!(answer(&told("x.box", 0, &[&ip]), [7, 9]), good);
    assert_eq!(answer(&told("x.box", 0, &[&alias, &six, &ip]), [7, 9]), good);
    assert_eq!(answer(&told("x.box", 0, &[&alias]), [7, 9]), Some(Err("NODATA")));
    assert_eq!(answer(&told("x.box", 0, &[]), [7, 9]), Some(Err("NODATA")));
    for (code, word) in [(2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (4, "RCODE")] {
        assert_eq!(answer(&told("x.box", code, &[&ip]), [7, 9]), Some(Err(word)));
    }
}

#[test]
fn what_is_no_answer_to_the_question_is_none() {
    let whole = told("x.box", 0, &[&record(1, &[10, 1, 0, 1])]);
    assert_eq!(answer(&whole, [7, 8]), None);
    assert_eq!(answer(&question("x.box", [7, 9]), [7, 9]), None);
    // Cut anywhere it is none, and never a panic.
    assert!((0..whole.len()).all(|length| answer(&whole[..length], [7, 9]).is_none()));
    let mut strange = whole.clone();
    strange[12] = 0x80;
    assert_eq!(answer(&strange, [7, 9]), None);
}

#[test]
fn a_process_that_is_gone_has_no_servers() {
    let resolved = resolve(Pid(i32::MAX), "x.box");
    assert_eq!((resolved.address, resolved.why.as_deref()), (None, Some("ENOENT")));
}

//! Ctrl-C while an image is copied or unpacked: it ends soon, says so with one status, and leaves nothing.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::client::image;
use crate::support::layer::{self, Layer, OCI_GZIP, file, gzip};
use crate::support::registry::{Plan, Registry};
use nix::{
    sys::{
        signal::{Signal, kill},
        socket::{AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, bind, listen, socket},
    },
    unistd::Pid,
};
use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::{AsRawFd, OwnedFd},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub fn tests() -> Vec<Test> {
    tests![ctrl_c_ends_each_of_them_in_one_way: [Root]]
}

/// It is 0.5 s where a processor is free; the tests of a whole class may run beside this one.
const SOON: Duration = Duration::from_secs(2);
const DEADLINE: Duration = Duration::from_secs(20);

/// How long the process has worked so far, in clock ticks: the fourteenth and the fifteenth field (proc_pid_stat(5)).
fn worked(child: &Child) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    fields.get(12..14).map_or(0, |times| times.iter().filter_map(|time| time.parse::<u64>().ok()).sum())
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "{what}: it never begins");
        std::thread::yield_now();
    }
}

/// Six GiB of zeros in six MiB: members of gzip, one after another.
fn zeros(first: &[u8]) -> Vec<u8> {
    [first, &gzip(&vec![0; 32 << 20]).repeat(200)].concat()
}

/// An address that answers no attempt to connect: its queue is full, so that the kernel drops what comes (listen(2)).
fn unanswering() -> (SocketAddr, Vec<TcpStream>, OwnedFd) {
    let flags = SockFlag::SOCK_CLOEXEC;
    let listener = socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
    bind(listener.as_raw_fd(), &SockaddrStorage::from(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    listen(&listener, Backlog::new(0).unwrap()).unwrap();
    let address = TcpListener::from(listener.try_clone().unwrap()).local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queue.push(stream);
    }
    (address, queue, listener)
}

/// Whether the process has asked for a connection: the state of one on its way is SYN_SENT, 02 (proc_pid_net(5)).
fn asks(address: SocketAddr) -> bool {
    let port = format!("0100007F:{:04X} 02", address.port());
    fs::read_to_string("/proc/net/tcp").unwrap_or_default().contains(&port)
}

fn ctrl_c_ends_each_of_them_in_one_way() {
    let top = image();
    let stalled = Registry::start(&top.path().join("oci"), Plan { stall: true, ..Plan::default() }, None);
    // One for each: what a program that has ended asked for would be taken for the next one's question.
    let silent = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let from = stalled.image();
    let [first, second] = [0, 1].map(|at| format!("docker://{}/a/b", silent[at].local_addr().unwrap()));
    let (deaf, _queue, _listener) = unanswering();
    let third = format!("docker://{deaf}/a/b");
    // An archive as `docker save | gzip` gives it, which is decompressed first.
    fs::write(top.path().join("save.tar.gz"), zeros(b"")).unwrap();
    // A layer with one file of as many.
    let mut large = layer::header(&file("large", ""));
    large.set_size(6 << 30);
    large.set_cksum();
    let six = Layer::new(OCI_GZIP, zeros(&gzip(large.as_bytes())), b"");
    layer::image(&top.path().join("six"), &[six]);
    let names = || {
        let mut all: Vec<_> = fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        all.sort();
        all
    };
    fs::create_dir(top.path().join("home")).unwrap();
    let before = names();
    let blobs = || stalled.log().iter().filter(|line| line.contains("/blobs/")).count();
    let busy = |child: &Child| worked(child) >= 5;
    type Begun<'a> = &'a dyn Fn(&Child) -> bool;
    let table: [(&[&str], Begun); 8] = [
        (&["skopeo", "copy", &from, "dir:to"], &|_| blobs() >= 2),
        (&["image", "unpack", &from, "to"], &|_| blobs() >= 4),
        (&["skopeo", "copy", "oci:oci:latest", &first], &|_| silent[0].accept().is_ok()),
        (&["skopeo", "list-tags", &second], &|_| silent[1].accept().is_ok()),
        (&["skopeo", "inspect", "--tls-verify=false", &third], &|_| asks(deaf)),
        (&["skopeo", "inspect", "docker-archive:save.tar.gz"], &busy),
        (&["image", "unpack", "oci:six:latest", "to"], &busy),
        (&["skopeo", "copy", "oci:six:latest", "docker-archive:to"], &busy),
    ];
    for (args, begun) in table {
        let mut command = Command::new(BOXWRIGHT);
        command.args(args).current_dir(top.path()).env("HOME", top.path().join("home"));
        command.env("BOXWRIGHT_TIMEOUT", "600").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        wait_until(&format!("{args:?}"), || begun(&child));
        kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).unwrap();
        let pressed = Instant::now();
        let status = child.wait().unwrap();
        let took = pressed.elapsed();
        let mut told = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut told).unwrap();
        assert_eq!(status.code(), Some(130), "{args:?}: {told}");
        assert!(told.contains("interrupted") && took < SOON, "{args:?}: {took:?}: {told}");
        eprintln!("{args:?}: {took:?}");
        assert_eq!(names(), before, "{args:?}");
    }
}

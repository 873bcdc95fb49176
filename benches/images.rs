//! Prints how images are copied and unpacked beside skopeo, umoci and tar, measured in turns: `cargo bench --bench images`.
//!
//! Figures are ratios, ours to theirs, on a tmpfs and on the disk: only those travel from one machine to another. Nothing here
//! can fail a test run. `BOXWRIGHT_BENCH_IMAGE` names an image (`oci:DIR:TAG`) to take beside the ones that are made here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot run says so by ending")]

use flate2::{Compression, write::GzEncoder};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::{TimeVal, TimeValLike},
};
use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const BOXWRIGHT: &str = env!("CARGO_BIN_EXE_boxwright");
const ROUNDS: usize = 3;
/// Where the two kinds of file system are. The shared memory of a machine is a tmpfs.
const PLACES: [(&str, &str); 2] = [("tmpfs", "/dev/shm"), (DISK, "/var/tmp")];
const DISK: &str = "disk";
/// How many files the archive of small ones has, and how many bytes each.
const FILES: usize = 100_000;
const SIZE: usize = 100;

fn main() {
    if !nix::unistd::geteuid().is_root() {
        return println!("images: skipped: needs root");
    }
    for (kind, place) in PLACES {
        let Ok(top) = tempfile::tempdir_in(place) else {
            println!("images on {kind}: skipped: {place} cannot be written");
            continue;
        };
        let bench = Bench { kind, top: top.path().into() };
        bench.small_files();
        bench.compressed_archive();
        if let Ok(image) = std::env::var("BOXWRIGHT_BENCH_IMAGE") {
            bench.image(&image);
        }
    }
}

struct Bench {
    kind: &'static str,
    top: PathBuf,
}

/// What is measured: a name, and a line of the shell, which makes `out`.
type Rival<'a> = (&'a str, String);

/// How long it took, by the clock and on the processors.
type Took = (Duration, Duration);

/// What the processors have done so far for programs that have ended.
fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let part = |time: TimeVal| Duration::from_micros(time.num_microseconds() as u64);
    part(usage.user_time()) + part(usage.system_time())
}

fn median(mut times: Vec<Duration>) -> Option<f64> {
    times.sort();
    times.get(times.len() / 2).map(Duration::as_secs_f64)
}

impl Bench {
    /// Runs what must go well.
    fn run(&self, line: &str) {
        assert!(self.timed(line).is_some(), "{line}");
    }

    /// How long a line takes; none where it fails.
    fn timed(&self, line: &str) -> Option<Took> {
        let (started, before) = (Instant::now(), cpu());
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(&self.top).env("TMPDIR", &self.top).env("HOME", &self.top);
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        let took = (started.elapsed(), cpu() - before);
        status.success().then_some(took)
    }

    /// What was made makes room for the next. On a disk it stays until the end: ext4 looks long for inodes where many were
    /// given back just before, and what comes next would be measured by that.
    fn put_away(&self) {
        let out = self.top.join("out");
        if self.kind == DISK {
            let number = fs::read_dir(&self.top).map_or(0, Iterator::count);
            let _ = fs::rename(&out, self.top.join(format!("done{number}")));
        }
        let _ = fs::remove_dir_all(&out);
    }

    /// Ours first, then the others, in turns. Prints the median of each and what ours is of it: on a machine that does other
    /// things as well, the time on the processors says more than that by the clock.
    fn compare(&self, what: &str, rivals: &[Rival], goals: &[&str]) {
        let mut took = vec![(Vec::new(), Vec::new()); rivals.len()];
        for _ in 0..ROUNDS {
            for ((_, line), took) in rivals.iter().zip(&mut took) {
                if let Some((time, work)) = self.timed(line) {
                    took.0.push(time);
                    took.1.push(work);
                }
                self.put_away();
            }
        }
        let medians: Vec<_> = took.into_iter().map(|(time, work)| median(time).zip(median(work))).collect();
        let Some(Some((ours, our_work))) = medians.first().copied() else {
            return println!("{what} on {}: ours failed", self.kind);
        };
        println!("{what} on {}: ours {:.0} ms, {:.0} ms of work", self.kind, ours * 1e3, our_work * 1e3);
        for (((name, _), median), goal) in rivals.iter().zip(&medians).skip(1).zip(goals) {
            match median {
                Some((time, work)) => println!(
                    "{what} on {}: {name} {:.0} ms, {:.0} ms of work; ratio {:.2}, of work {:.2} ({goal})",
                    self.kind,
                    time * 1e3,
                    work * 1e3,
                    ours / time,
                    our_work / work
                ),
                None => println!("{what} on {}: {name}: skipped: not installed, or it failed", self.kind),
            }
        }
    }

    /// One layer of very many small files, compressed.
    fn small_files(&self) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let mut header = tar::Header::new_gnu();
        for number in 0..FILES {
            header.set_path(format!("d{:03}/f{number:06}", number % 500)).unwrap();
            header.set_size(SIZE as u64);
            header.set_mode(0o644);
            header.set_mtime(1);
            header.set_uid(0);
            header.set_gid(0);
            header.set_entry_type(tar::EntryType::Regular);
            header.set_cksum();
            encoder.write_all(header.as_bytes()).unwrap();
            encoder.write_all(&[b'x'; 512][..SIZE]).unwrap();
            encoder.write_all(&[0; 512][SIZE..]).unwrap();
        }
        encoder.write_all(&[0; 1024]).unwrap();
        let layer = encoder.finish().unwrap();
        fs::write(self.top.join("layer.tar.gz"), layer).unwrap();
        // A layout of it, made by packing it as what docker saves.
        let tar = format!(
            "set -e; mkdir save; gunzip -c layer.tar.gz > save/layer.tar; \
             id=$(sha256sum save/layer.tar | cut -d' ' -f1); \
             printf '{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{}},\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\"]}}}}' $id > save/config.json; \
             printf '[{{\"Config\":\"config.json\",\"RepoTags\":[\"small:1\"],\"Layers\":[\"layer.tar\"]}}]' > save/manifest.json; \
             tar -cf save.tar -C save manifest.json config.json layer.tar; gzip -1 -k save.tar; \
             {BOXWRIGHT} skopeo copy -q docker-archive:save.tar oci:small:1"
        );
        self.run(&tar);
        let unpack = format!("{BOXWRIGHT} image unpack -q --platform linux/amd64");
        self.compare(
            &format!("unpack {FILES} small files"),
            &[
                ("ours", format!("{unpack} oci:small:1 out")),
                ("umoci unpack", "umoci unpack --image small:1 out".into()),
                ("tar -xf", "mkdir out && tar -xf save/layer.tar -C out".into()),
            ],
            &["goal: at most 0.25", "goal: at most 1.1"],
        );
    }

    /// What `docker save | gzip` gives: a copy of it, and its tree.
    fn compressed_archive(&self) {
        let ours = format!("{BOXWRIGHT} skopeo copy -q docker-archive:save.tar.gz dir:out");
        self.compare(
            "copy of a compressed archive",
            &[("ours", ours), ("skopeo copy", theirs("save")), ("gunzip and skopeo copy", apart("save"))],
            &["goal: at most 1.2", "goal: at most 1.2"],
        );
        let unpack = format!("{BOXWRIGHT} image unpack -q --platform linux/amd64");
        self.compare(
            "unpack of a compressed archive",
            &[
                ("ours", format!("{unpack} docker-archive:save.tar.gz out")),
                ("the same without compression", format!("{unpack} docker-archive:save.tar out")),
                ("gunzip alone, into nothing", "gunzip -c save.tar.gz > /dev/null".into()),
            ],
            &["goal: at most 1.3", "decompressing is a part of it"],
        );
    }

    /// An image of the user's own, through every kind of archive.
    fn image(&self, from: &str) {
        self.run(&format!("{BOXWRIGHT} skopeo copy -q {from} oci:own:1"));
        self.run(&format!("{BOXWRIGHT} skopeo copy -q {from} docker-archive:own.tar:own:1 && gzip -1 -k own.tar"));
        let unpack = format!("{BOXWRIGHT} image unpack -q");
        let layers =
            format!("$({BOXWRIGHT} skopeo inspect --format '{{{{range .Layers}}}}{{{{.}}}} {{{{end}}}}' oci:own:1)");
        let each = format!(
            "mkdir out; for layer in {layers}; do tar -xzf own/blobs/$(echo $layer | tr : /) -C out 2>/dev/null || :; done"
        );
        self.compare(
            &format!("unpack {from}"),
            &[
                ("ours", format!("{unpack} oci:own:1 out")),
                ("umoci unpack", "umoci unpack --image own:1 out".into()),
                ("tar -xzf of each layer", each),
            ],
            &["goal: at most 0.25", "goal: at most 0.6"],
        );
        self.compare(
            &format!("copy of {from} as a compressed archive"),
            &[
                ("ours", format!("{BOXWRIGHT} skopeo copy -q docker-archive:own.tar.gz dir:out")),
                ("skopeo copy", theirs("own")),
                ("gunzip and skopeo copy", apart("own")),
            ],
            &["goal: at most 1.2", "goal: at most 1.2"],
        );
        self.compare(
            &format!("unpack of {from} as a compressed archive"),
            &[
                ("ours", format!("{unpack} docker-archive:own.tar.gz out")),
                ("the same without compression", format!("{unpack} docker-archive:own.tar out")),
                ("gunzip alone, into nothing", "gunzip -c own.tar.gz > /dev/null".into()),
            ],
            &["goal: at most 1.3", "decompressing is a part of it"],
        );
    }
}

/// skopeo's copy of a compressed archive.
fn theirs(name: &str) -> String {
    format!("skopeo --insecure-policy copy -q docker-archive:{name}.tar.gz dir:out")
}

/// The same in two steps: skopeo 1.9.3, as Debian 12 has it, loses what follows the first bytes of any archive that gzip(1) has
/// compressed, and reads the same archive without compression, or compressed with zstd.
fn apart(name: &str) -> String {
    format!(
        "gunzip -c {name}.tar.gz > plain.tar && skopeo --insecure-policy copy -q docker-archive:plain.tar dir:out; \
         status=$?; rm plain.tar; exit $status"
    )
}

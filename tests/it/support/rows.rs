//! Layers, and the trees that they must give.

#![allow(clippy::unwrap_used, reason = "a part of a test")]

use super::layer::{Entry, dir, entry, file, hard_link, symlink};
use tar::EntryType;

const LONG: &str = concat!(
    "a-directory-with-a-name-that-is-sixty-bytes-long-or-even-more/",
    "another-directory-with-a-name-of-more-than-sixty-bytes-in-all/",
    "the-third-directory-on-the-way-which-is-as-long-as-the-others/",
    "and-at-last-a-file-that-alone-is-longer-than-the-hundred-bytes-",
    "that-an-old-header-has-room-for-as-everybody-knows-who-ever-wrote-one"
);

/// What it is about, the layers, the whole tree (names with non-ASCII bytes escaped), and what the learner is told.
pub type Row = (&'static str, Vec<Vec<Entry>>, Vec<(&'static str, &'static str)>, &'static str);

pub fn mode(mode: u32, entry: Entry) -> Entry {
    Entry { mode, ..entry }
}

pub fn whiteouts() -> Vec<Row> {
    let lower = || vec![dir("d/"), file("d/old", "1"), dir("d/sub/"), file("d/sub/old", "2"), file("e", "3")];
    vec![
        (
            "an opaque marker after a new file",
            vec![lower(), vec![dir("d/"), file("d/new", "4"), file("d/.wh..wh..opq", "")]],
            vec![("d", "d 755 0:0"), ("d/new", "- 644 0:0 \"4\""), ("e", "- 644 0:0 \"3\"")],
            "",
        ),
        (
            "a link hidden that the path of its own marker led through",
            vec![
                vec![dir("c/"), symlink("c/back", "."), file("c/x", "1")],
                vec![file("c/back/.wh.back", ""), file("c/back/file", "2")],
            ],
            vec![
                ("c", "d 755 0:0"),
                ("c/back", "d 755 0:0"),
                ("c/back/file", "- 644 0:0 \"2\""),
                ("c/x", "- 644 0:0 \"1\""),
            ],
            "",
        ),
        (
            "an opaque marker first, and deeper files of the same layer",
            vec![lower(), vec![file("d/.wh..wh..opq", ""), file("d/sub/new", "4")]],
            vec![
                ("d", "d 755 0:0"),
                ("d/sub", "d 755 0:0"),
                ("d/sub/new", "- 644 0:0 \"4\""),
                ("e", "- 644 0:0 \"3\""),
            ],
            "",
        ),
        (
            "a file and a directory hidden",
            vec![lower(), vec![file(".wh.e", ""), file("d/.wh.sub", "")]],
            vec![("d", "d 755 0:0"), ("d/old", "- 644 0:0 \"1\"")],
            "",
        ),
        (
            "a name hidden after and before it is made anew",
            vec![lower(), vec![file("e", "4"), file(".wh.e", ""), file(".wh.d", ""), file("d", "5")]],
            vec![("d", "- 644 0:0 \"5\""), ("e", "- 644 0:0 \"4\"")],
            "",
        ),
        (
            "a directory hidden and its new content before the marker",
            vec![lower(), vec![file("d/sub/new", "4"), file(".wh.d", "")]],
            vec![
                ("d", "d 755 0:0"),
                ("d/sub", "d 755 0:0"),
                ("d/sub/new", "- 644 0:0 \"4\""),
                ("e", "- 644 0:0 \"3\""),
            ],
            "",
        ),
        (
            "a hidden file below a directory that is a link",
            vec![
                vec![dir("usr/lib/"), file("usr/lib/a", "1"), symlink("lib", "usr/lib")],
                vec![file("lib/.wh.a", ""), file("lib/.wh..wh.plnk", "")],
            ],
            vec![("lib", "l 777 0:0 -> usr/lib"), ("usr", "d 755 0:0"), ("usr/lib", "d 755 0:0")],
            "",
        ),
        (
            "a file below the name of a whiteout, which hides nothing",
            vec![vec![file("foo", "1")], vec![file(".wh.foo/bar", "x"), file("d/.wh.x/y/z", "x"), file("e", "2")]],
            vec![("e", "- 644 0:0 \"2\""), ("foo", "- 644 0:0 \"1\"")],
            "below the name of a whiteout",
        ),
        (
            "a hidden link, not what it leads to",
            vec![vec![file("a", "1"), symlink("l", "a")], vec![file(".wh.l", "")]],
            vec![("a", "- 644 0:0 \"1\"")],
            "",
        ),
        (
            "nothing hidden: names that are not there, and no names at all",
            vec![
                lower(),
                vec![
                    file(".wh.none", ""),
                    file("no/where/.wh.x", ""),
                    file("e/.wh.x", ""),
                    file("d/.wh.", ""),
                    file("d/.wh..", ""),
                    file("d/.wh...", ""),
                ],
            ],
            vec![
                ("d", "d 755 0:0"),
                ("d/old", "- 644 0:0 \"1\""),
                ("d/sub", "d 755 0:0"),
                ("d/sub/old", "- 644 0:0 \"2\""),
                ("e", "- 644 0:0 \"3\""),
            ],
            "hides nothing",
        ),
    ]
}

pub fn links() -> Vec<Row> {
    let usr = || vec![dir("usr/"), dir("usr/lib/"), file("usr/lib/base.so", "b"), symlink("lib", "usr/lib")];
    vec![
        (
            "a hard link across layers, by names that begin in different ways",
            vec![
                vec![dir("bin/"), mode(0o755, file("bin/a", "A"))],
                vec![hard_link("bin/b", "bin/a"), hard_link("bin/c", "/bin/a"), hard_link("bin/d", "./bin/a")],
            ],
            vec![
                ("bin", "d 755 0:0"),
                ("bin/a", "- 755 0:0 \"A\""),
                ("bin/b", "- 755 0:0 \"A\""),
                ("bin/c", "- 755 0:0 \"A\""),
                ("bin/d", "- 755 0:0 \"A\""),
            ],
            "",
        ),
        (
            "a hard link in a directory without an entry",
            vec![vec![file("bin/a", "A"), hard_link("deep/er/b", "bin/a")]],
            vec![
                ("bin", "d 755 0:0"),
                ("bin/a", "- 644 0:0 \"A\""),
                ("deep", "d 755 0:0"),
                ("deep/er", "d 755 0:0"),
                ("deep/er/b", "- 644 0:0 \"A\""),
            ],
            "",
        ),
        (
            "a hard link to a symbolic link is that link, and one to itself changes nothing",
            vec![vec![symlink("l", "/etc/passwd"), hard_link("m", "l")], vec![hard_link("l", "m")]],
            vec![("l", "l 777 0:0 -> /etc/passwd"), ("m", "l 777 0:0 -> /etc/passwd")],
            "",
        ),
        (
            "one name of a lower layer's file is written anew: the other keeps the old content",
            vec![vec![file("a", "1"), hard_link("b", "a")], vec![file("a", "2")]],
            vec![("a", "- 644 0:0 \"2\""), ("b", "- 644 0:0 \"1\"")],
            "",
        ),
        (
            "a file below a directory that is a link",
            vec![usr(), vec![file("lib/extra.so", "x")]],
            vec![
                ("lib", "l 777 0:0 -> usr/lib"),
                ("usr", "d 755 0:0"),
                ("usr/lib", "d 755 0:0"),
                ("usr/lib/base.so", "- 644 0:0 \"b\""),
                ("usr/lib/extra.so", "- 644 0:0 \"x\""),
            ],
            "",
        ),
        (
            "a directory where a link was",
            vec![usr(), vec![dir("lib/"), file("lib/extra.so", "x")]],
            vec![
                ("lib", "d 755 0:0"),
                ("lib/extra.so", "- 644 0:0 \"x\""),
                ("usr", "d 755 0:0"),
                ("usr/lib", "d 755 0:0"),
                ("usr/lib/base.so", "- 644 0:0 \"b\""),
            ],
            "lib/: a directory takes the place of a link",
        ),
        (
            "absolute links lead to places in the root, and stay as they are",
            vec![
                vec![dir("run/"), symlink("var/run", "/run"), symlink("etc/mtab", "/proc/mounts")],
                vec![file("var/run/app.pid", "7")],
            ],
            vec![
                ("etc", "d 755 0:0"),
                ("etc/mtab", "l 777 0:0 -> /proc/mounts"),
                ("run", "d 755 0:0"),
                ("run/app.pid", "- 644 0:0 \"7\""),
                ("var", "d 755 0:0"),
                ("var/run", "l 777 0:0 -> /run"),
            ],
            "",
        ),
        (
            "a file in place of a link does not go through it, and a link in place of a link neither",
            vec![
                vec![mode(0o755, file("busybox", "bb")), symlink("env", "busybox"), symlink("l", "one")],
                vec![mode(0o755, file("env", "real")), symlink("l", "two")],
            ],
            vec![("busybox", "- 755 0:0 \"bb\""), ("env", "- 755 0:0 \"real\""), ("l", "l 777 0:0 -> two")],
            "",
        ),
    ]
}

pub fn names_and_modes() -> Vec<Row> {
    let node = |kind, path, device, mode| Entry { device, mode, ..entry(kind, path, "") };
    let gnu = |entry: Entry| Entry { gnu: true, ..entry };
    let (first, second, third) = (61, 123, 185);
    let long = |end: usize| LONG.get(..end).unwrap();
    vec![
        (
            "directories without entries",
            vec![vec![mode(0o600, file("etc/dnf/dnf.conf", "x"))]],
            vec![("etc", "d 755 0:0"), ("etc/dnf", "d 755 0:0"), ("etc/dnf/dnf.conf", "- 600 0:0 \"x\"")],
            "",
        ),
        (
            "files and directories in each other's place, and the last of equal names",
            vec![
                vec![file("a", "1"), dir("b/"), file("b/c", "2")],
                vec![dir("a/"), file("a/d", "3"), file("b", "4"), file("b", "5")],
            ],
            vec![("a", "d 755 0:0"), ("a/d", "- 644 0:0 \"3\""), ("b", "- 644 0:0 \"5\"")],
            "",
        ),
        (
            "an entry below what is no directory, which makes room for it",
            vec![
                vec![file("a", "1"), file("b", "2"), symlink("c", "b")],
                vec![file("a/d/e", "3"), dir("b/f/"), file("b/f/g", "4")],
            ],
            vec![
                ("a", "d 755 0:0"),
                ("a/d", "d 755 0:0"),
                ("a/d/e", "- 644 0:0 \"3\""),
                ("b", "d 755 0:0"),
                ("b/f", "d 755 0:0"),
                ("b/f/g", "- 644 0:0 \"4\""),
                ("c", "l 777 0:0 -> b"),
            ],
            "",
        ),
        (
            "files that may not be read, written anew",
            vec![vec![mode(0, file("etc/gshadow", "s"))], vec![mode(0, file("etc/gshadow", "t"))]],
            vec![("etc", "d 755 0:0"), ("etc/gshadow", "- 0 0:0 \"t\"")],
            "",
        ),
        (
            "every bit of a mode, and owners by number",
            vec![vec![
                Entry { owner: (0, 0), ..mode(0o4755, file("su", "x")) },
                Entry { owner: (0, 5), ..mode(0o2755, file("wall", "y")) },
                mode(0o1777, dir("tmp/")),
                Entry { owner: (1000, 1000), ..mode(0o2700, dir("home/")) },
                Entry { owner: (0, 42), ..mode(0o640, file("shadow", "z")) },
                Entry { owner: (70_000, 3_000_000), ..file("far", "w") },
                Entry { pax: vec![("uid", b"4000000".to_vec()), ("gid", b"4000001".to_vec())], ..file("pax", "v") },
            ]],
            vec![
                ("far", "- 644 70000:3000000 \"w\""),
                ("home", "d 2700 1000:1000"),
                ("pax", "- 644 4000000:4000001 \"v\""),
                ("shadow", "- 640 0:42 \"z\""),
                ("su", "- 4755 0:0 \"x\""),
                ("tmp", "d 1777 0:0"),
                ("wall", "- 2755 0:5 \"y\""),
            ],
            "",
        ),
        (
            "devices and pipes",
            vec![vec![
                node(EntryType::Char, "null", (1, 3), 0o666),
                node(EntryType::Block, "loop0", (7, 300), 0o660),
                node(EntryType::Fifo, "pipe", (0, 0), 0o622),
            ]],
            vec![("loop0", "b 660 0:0 7,300"), ("null", "c 666 0:0 1,3"), ("pipe", "p 622 0:0")],
            "",
        ),
        (
            "long names as POSIX writes them",
            vec![vec![file(LONG, "L"), symlink("lnk", LONG), hard_link("hl", LONG)]],
            vec![
                (long(first), "d 755 0:0"),
                (long(second), "d 755 0:0"),
                (long(third), "d 755 0:0"),
                (LONG, "- 644 0:0 \"L\""),
                ("hl", "- 644 0:0 \"L\""),
                ("lnk", Box::leak(format!("l 777 0:0 -> {LONG}").into_boxed_str())),
            ],
            "",
        ),
        (
            "long names as GNU writes them",
            vec![vec![gnu(file(LONG, "L")), gnu(symlink("lnk", LONG)), gnu(hard_link("hl", LONG))]],
            vec![
                (long(first), "d 755 0:0"),
                (long(second), "d 755 0:0"),
                (long(third), "d 755 0:0"),
                (LONG, "- 644 0:0 \"L\""),
                ("hl", "- 644 0:0 \"L\""),
                ("lnk", Box::leak(format!("l 777 0:0 -> {LONG}").into_boxed_str())),
            ],
            "",
        ),
        (
            "names that are no text, or other than ASCII, or look like options and controls",
            vec![vec![
                file(b"caf\xe9", "1"),
                file("日本", "2"),
                Entry { pax: vec![("path", b"p\xff\xfe".to_vec())], ..file("short", "3") },
                file("-rf", "4"),
                file("a\x1b[2Jb", "5"),
                file("back\\slash", "6"),
            ]],
            vec![
                (r"caf\xe9", "- 644 0:0 \"1\""),
                (r"\xe6\x97\xa5\xe6\x9c\xac", "- 644 0:0 \"2\""),
                (r"p\xff\xfe", "- 644 0:0 \"3\""),
                ("-rf", "- 644 0:0 \"4\""),
                (r"a\x1b[2Jb", "- 644 0:0 \"5\""),
                (r"back\\slash", "- 644 0:0 \"6\""),
            ],
            "",
        ),
        ("no entry at all", vec![vec![], vec![]], vec![], ""),
    ]
}

use super::*;

fn files(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> String {
    |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()).unwrap_or_default()
}

#[test]
fn version_1_names_are_taken_by_version_2() {
    let read = files(&[("cpu.max", "max 100000\n"), ("memory.max", "10485760\n"), ("memory.swap.max", "0\n")]);
    let set = |name: &str, value: &str| set(2, name, value, &read).unwrap().unwrap();
    assert_eq!(set("cpu.cfs_quota_us", "50000"), [("cpu.max", "50000 100000".into())]);
    assert_eq!(set("cpu.cfs_quota_us", "-1"), [("cpu.max", "max 100000".into())]);
    assert_eq!(set("cpu.cfs_period_us", "20000"), [("cpu.max", "max 20000".into())]);
    assert_eq!(set("memory.limit_in_bytes", "10M"), [("memory.max", "10M".into())]);
    assert_eq!(set("memory.memsw.limit_in_bytes", "10M"), [("memory.swap.max", "0".into())]);
    let get = |name: &str| get(2, name, &read).unwrap();
    assert_eq!((get("cpu.cfs_quota_us"), get("cpu.cfs_period_us")), ("-1".into(), "100000".into()));
    assert_eq!(
        (get("memory.limit_in_bytes"), get("memory.memsw.limit_in_bytes")),
        ("10485760".into(), "10485760".into())
    );
}

#[test]
fn version_2_names_are_taken_by_version_1() {
    let read = files(&[
        ("cpu.cfs_quota_us", "50000\n"),
        ("cpu.cfs_period_us", "100000\n"),
        ("memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory.memsw.limit_in_bytes", "9223372036854771712\n"),
    ]);
    let set = |name: &str, value: &str| set(1, name, value, &read).unwrap().unwrap();
    let both = [("cpu.cfs_period_us", "20000".to_string()), ("cpu.cfs_quota_us", "10000".to_string())];
    assert_eq!(set("cpu.max", "10000 20000"), both);
    assert_eq!(set("cpu.max", "max"), [("cpu.cfs_quota_us", "-1".into())]);
    assert_eq!(set("memory.max", "max"), [("memory.limit_in_bytes", "-1".into())]);
    let get = |name: &str| get(1, name, &read).unwrap();
    assert_eq!(
        (get("cpu.max"), get("memory.max"), get("memory.swap.max")),
        ("50000 100000".into(), "max".into(), "max".into())
    );
}

#[test]
fn what_is_not_the_same_is_not_translated() {
    let read = |_: &str| String::new();
    assert_eq!(set(2, "cpu.shares", "512", &read), Ok(None));
    assert_eq!(set(1, "cpu.weight", "50", &read), Ok(None));
    assert_eq!(set(1, "cpu.cfs_quota_us", "5000", &read), Ok(None));
    assert_eq!(get(2, "memory.failcnt", &read), None);
}

#[test]
fn a_limit_that_cannot_be_reckoned_is_refused_and_does_not_become_none() {
    let read = files(&[("memory.max", "max\n"), ("memory.limit_in_bytes", "9223372036854771712\n")]);
    assert!(set(2, "memory.memsw.limit_in_bytes", "10M", &read).unwrap_err().contains("set that first"));
    assert!(set(1, "memory.swap.max", "0", &read).unwrap_err().contains("limit memory first"));
    let read = files(&[("memory.max", "10485760\n"), ("memory.limit_in_bytes", "10485760\n")]);
    assert!(set(2, "memory.memsw.limit_in_bytes", "5M", &read).unwrap_err().contains("10485760"));
    for (version, name) in [(2, "memory.memsw.limit_in_bytes"), (1, "memory.swap.max")] {
        assert!(set(version, name, "lots", &read).unwrap_err().contains("not a valid value"), "{name}");
    }
    let none = |version, name, value| set(version, name, value, &read).unwrap().unwrap();
    assert_eq!(none(2, "memory.memsw.limit_in_bytes", "-1"), [("memory.swap.max", "max".into())]);
    assert_eq!(none(1, "memory.swap.max", "max"), [("memory.memsw.limit_in_bytes", "-1".into())]);
    assert_eq!(none(1, "memory.swap.max", "1M"), [("memory.memsw.limit_in_bytes", "11534336".into())]);
}

#[test]
fn sizes_have_the_kernels_suffixes() {
    assert_eq!((bytes("10M\n"), bytes("4k"), bytes("1G")), (Some(10 << 20), Some(4096), Some(1 << 30)));
    assert_eq!((bytes("max"), bytes("-1"), bytes(""), bytes("99999999999999G")), (None, None, None, None));
}

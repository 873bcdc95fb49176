use super::*;
use std::fs;

#[test]
fn a_plain_directory_is_no_group() {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("boxwright-0-000000000000");
    fs::create_dir(&dir).unwrap();
    assert_eq!(remove(&dir, Instant::now()), [Left { path: dir.clone(), why: Why::Replaced }]);
    assert!(dir.exists());
}

//! Images from the distribution's registry, beside the distribution's skopeo.

use crate::harness::{Test, tests};
use crate::support::client::{boxwright, files, image, text};
use crate::support::distribution::{Registry, Skopeo};
use crate::support::registry::{Auth, Plan, Registry as Faulty, Tags};
use crate::support::theirs;
use std::process::Command;

pub fn tests() -> Vec<Test> {
    tests![
        copies_from_the_distributions_registry_are_those_of_its_skopeo: [Tool("skopeo"), Tool("docker-registry")],
        tags_are_shown_and_missed_as_the_distributions_skopeo_does: [Tool("skopeo")],
    ]
}

fn copies_from_the_distributions_registry_are_those_of_its_skopeo() {
    let (skopeo, registry) = (Skopeo::find(), Registry::start());
    let top = image();
    let built = boxwright(&top, &[], &["skopeo", "copy", "-q", "builtin:", "oci:built:latest"]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let skopeo = |args: &[&str]| skopeo.run(top.path(), args);
    for layout in ["oci", "built"] {
        let name = format!("docker://{}/class/{layout}:v1", registry.host);
        skopeo(&["copy", "--dest-tls-verify=false", &format!("oci:{layout}:latest"), &name]);
        let (ours, theirs) = (format!("ours-{layout}"), format!("theirs-{layout}"));
        skopeo(&["copy", "--src-tls-verify=false", &name, &format!("dir:{theirs}")]);
        let output = boxwright(&top, &[], &["skopeo", "copy", &name, &format!("dir:{ours}")]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(files(&top.path().join(ours)), files(&top.path().join(theirs)), "{layout}");
        skopeo(&["copy", "--dest-tls-verify=false", &format!("oci:{layout}:latest"), &name.replace(":v1", ":a2")]);
        for more in [&["--raw"][..], &["--config"], &["--config", "--raw"], &["--no-tags"], &["-n"], &[]] {
            let wanted = skopeo(&[&["inspect", "--tls-verify=false"], more, &[name.as_str()]].concat());
            let output = boxwright(&top, &[], &[&["skopeo", "inspect"], more, &[name.as_str()]].concat());
            assert_eq!(text(&output.stdout), text(&wanted), "{more:?}: {}", text(&output.stderr));
        }
        let unpacked = boxwright(&top, &[], &["image", "unpack", "-q", &name, &format!("root-{layout}")]);
        assert!(unpacked.status.success(), "{}", text(&unpacked.stderr));
    }
}

fn tags_are_shown_and_missed_as_the_distributions_skopeo_does() {
    let skopeo = theirs("skopeo");
    let tags = |tags| Plan { tags, ..Plan::default() };
    let plans = [
        tags(Tags::Whole),
        tags(Tags::Paged("</v2/class/demo/tags/list?{}>; rel=\"next\"")),
        Plan { auth: Auth::Token, ..tags(Tags::Paged("</v2/class/demo/tags/list?{}>; rel=\"next\"")) },
        tags(Tags::Refused(403)),
        tags(Tags::Refused(404)),
    ];
    for plan in plans {
        let top = image();
        let registry = Faulty::start(&top.path().join("oci"), plan.clone(), None);
        let mut command = Command::new(&skopeo);
        command.env("HOME", top.path()).args(["inspect", "--tls-verify=false", &registry.image()]);
        let wanted = command.output().unwrap();
        let output = boxwright(&top, &[], &["skopeo", "inspect", &registry.image()]);
        let both = format!("{plan:?}: {} {}", text(&output.stderr), text(&wanted.stderr));
        assert_eq!(text(&output.stdout), text(&wanted.stdout), "{both}");
        assert_eq!(output.status.code(), wanted.status.code(), "{both}");
        assert_eq!(output.stderr.is_empty(), wanted.stderr.is_empty(), "{both}");
    }
}

//! Which steps of a lesson can be done here: decided by the same words, for the same steps, as a run decides it.

use crate::{
    lang::Lang,
    lesson::{Ability, Lesson, Requirement},
    session::{Lacking, lack},
};
use serde::Serialize;

/// One lesson on this machine.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Outlook {
    pub lesson: String,
    /// Whether at least one step can be done.
    pub possible: bool,
    /// How many steps there are, and how many can be done.
    pub steps: usize,
    pub doable: usize,
    /// What stands in the way of the others, once each.
    pub because: Vec<String>,
    pub skipped: Vec<Skipped>,
}

/// A step that a run would skip.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Skipped {
    pub step: String,
    pub reason: String,
}

impl Outlook {
    /// What `lacking` leaves of a lesson. `barred` names what lets no lesson begin at all.
    pub(super) fn of(lesson: &Lesson, lacking: &Lacking, barred: &[String], lang: Lang) -> Outlook {
        let (mut because, mut skipped) = (barred.to_vec(), Vec::new());
        for (index, step) in lesson.steps.iter().enumerate() {
            let reason = match (lack(lesson, index, lacking), barred.first()) {
                (_, Some(barred)) => barred.clone(),
                (Some((need, reason)), None) => {
                    for name in names(need, lang) {
                        if !because.contains(&name) {
                            because.push(name);
                        }
                    }
                    reason.clone()
                }
                (None, None) => continue,
            };
            skipped.push(Skipped { step: step.id.clone(), reason });
        }
        let steps = lesson.steps.len();
        let doable = steps - skipped.len();
        Outlook { lesson: lesson.id.clone(), possible: doable > 0, steps, doable, because, skipped }
    }

    /// One cell of the table, such as `2 of 10 steps, not here: mount a new /proc`.
    pub(super) fn say(&self, lang: Lang) -> String {
        let (steps, doable) = (self.steps, self.doable);
        if doable == steps {
            return lang.pick(format!("possible here: all {steps} steps"), format!("可以在这里做：全部 {steps} 步"));
        }
        let because = self.because.join(lang.pick(", ", "、"));
        lang.pick(
            format!("{doable} of {steps} steps, not here: {because}"),
            format!("{steps} 步中的 {doable} 步，在这里做不了：{because}"),
        )
    }
}

/// A requirement as the table calls it: the names of the rows that tell more.
fn names(need: &Requirement, lang: Lang) -> Vec<String> {
    vec![match need {
        Requirement::Root => lang.pick("root, or a user namespace", "root 或用户命名空间").into(),
        Requirement::UserNamespaces => lang.pick("user namespaces for users", "普通用户的用户命名空间").into(),
        Requirement::UserProc => lang.pick("a user's own /proc", "普通用户自己的 /proc").into(),
        Requirement::UserProgram => lang.pick("boxwright for every user", "所有用户都能启动 boxwright").into(),
        Requirement::Ptrace => "ptrace".into(),
        Requirement::Namespace(kind) => format!("{} {kind}", lang.pick("namespace", "命名空间")),
        Requirement::Program(name)
        | Requirement::File(name)
        | Requirement::Call(name)
        | Requirement::Filesystem(name) => name.clone(),
        Requirement::Proc => lang.pick("mount a new /proc", "挂载新的 /proc").into(),
        Requirement::Controller(name) => format!("cgroup {name}"),
        Requirement::AnyController(names) => return names.iter().map(|name| format!("cgroup {name}")).collect(),
        Requirement::CgroupVersion(version, name) => format!("cgroup v{version} {name}"),
        Requirement::Swap => lang.pick("swap", "交换空间").into(),
        Requirement::Memsw | Requirement::HardMemory => {
            lang.pick("swap counted for groups", "为控制组统计交换空间").into()
        }
        Requirement::SessionDir(Ability::Exec) => lang.pick("run directory", "运行目录").into(),
        Requirement::SessionDir(Ability::Dev) => lang.pick("device nodes", "设备节点").into(),
        Requirement::SessionDir(Ability::Upper) => "overlay".into(),
        Requirement::Network(wiring) => wiring.name().into(),
        Requirement::NamespaceRoot => lang.pick("the namespace's root", "命名空间的根目录").into(),
        Requirement::MachineRoot => lang.pick("root of the machine", "机器本身的 root").into(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::{Block, Run, Step};

    fn step(id: &str, line: &str) -> Step {
        let run = Block::Run(Run { line: line.into(), ..Run::default() });
        Step { id: id.into(), fresh: true, blocks: vec![run], ..Step::default() }
    }

    #[test]
    fn steps_are_counted_as_a_run_would_skip_them() {
        let steps = vec![step("a", "ls"), step("b", "unshare --mount-proc sh"), step("c", "nsenter -t 1 -a sh")];
        let lesson = Lesson { id: "x".into(), steps, ..Lesson::default() };
        let lacking = vec![(Requirement::Proc, "mount: EPERM".to_string())];
        let outlook = Outlook::of(&lesson, &lacking, &[], Lang::En);
        assert_eq!((outlook.steps, outlook.doable, outlook.possible), (3, 2, true));
        assert_eq!(outlook.say(Lang::En), "2 of 3 steps, not here: mount a new /proc");
        assert_eq!((outlook.skipped[0].step.as_str(), outlook.skipped[0].reason.as_str()), ("b", "mount: EPERM"));
        let whole = Outlook::of(&lesson, &Lacking::new(), &[], Lang::En);
        assert_eq!(whole.say(Lang::En), "possible here: all 3 steps");
        let barred = Outlook::of(&lesson, &lacking, &["pseudo-terminals".into()], Lang::En);
        assert_eq!((barred.doable, barred.possible, barred.because), (0, false, vec!["pseudo-terminals".to_string()]));
        let any = (Requirement::AnyController(vec!["cpu".into(), "memory".into()]), String::new());
        let mut needing = lesson.clone();
        needing.steps[0].blocks.push(Block::Requires(vec![any.0.clone(), Requirement::Controller("cpu".into())]));
        let outlook = Outlook::of(&needing, &vec![any], &[], Lang::En);
        assert_eq!(outlook.because, ["cgroup cpu", "cgroup memory"]);
    }
}

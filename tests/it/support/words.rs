//! What the screen says to a learner who goes through a lesson by keys.

/// What the lines of the screen say in one language.
pub struct Words {
    pub lang: &'static str,
    pub command: &'static str,
    pub call: &'static str,
    pub next: &'static str,
    pub answer: &'static str,
    pub question: &'static str,
    pub turn: &'static str,
    pub free: &'static str,
    pub done: &'static str,
}

/// On an English screen.
pub const ENGLISH: Words = Words {
    lang: "en",
    command: "Space type the command",
    call: "Space next call",
    next: "Space next step",
    answer: "your answer",
    question: "Space show the question",
    turn: "Your turn",
    free: "every other key: the shell",
    done: "The lesson is done",
};

/// On a Chinese screen.
pub const CHINESE: Words = Words {
    lang: "zh",
    command: "Space 输入命令",
    call: "Space 下一个调用",
    next: "Space 下一步",
    answer: "你的答案",
    question: "Space 看问题",
    turn: "轮到你了",
    free: "其他按键都发给 shell",
    done: "本课完成",
};

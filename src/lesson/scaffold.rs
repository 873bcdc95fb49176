//! The files of a new lesson: small, but whole, so that they pass the linter and run.

use crate::lang::Lang;

/// The text of a new lesson's file in this language.
pub(super) fn text(lang: Lang, id: &str) -> String {
    lang.pick(EN, ZH).replace("LESSON", id)
}

const EN: &str = r#"# LESSON

> One line for the opening screen.

What the learner will be able to do afterwards, in a sentence or two.

## A first step {#first-step fresh}

Say what is about to happen, in fewer than ninety words.

```requires
root
namespace uts
```

```predict
Whose name will the command change?
- [x] The name in the new namespace only
- [ ] The name of the whole machine
```

```run container
unshare --uts sh
hostname box
```

```check
namespace uts new : The shell has a UTS namespace of its own
hostname inside is box : Inside, the host name is box
```

```hint
A nudge: where does the kernel keep the name?
```

```hint
The idea: the host name belongs to the UTS namespace.
```

```hint
Type `hostname box`.
```

```why
Say what was seen, and why it happened.
```

```note
For the speaker alone.
```
"#;

const ZH: &str = r#"# LESSON

> 开始界面上显示的一句话。

用一两句话说明学完之后能做到什么。

## 第一步 {#first-step fresh}

说明接下来会发生什么，不超过一百五十个汉字。

```requires
root
namespace uts
```

```predict
这条命令会改变谁的主机名？
- [x] 只改变新命名空间里的主机名
- [ ] 改变整台机器的主机名
```

```run container
unshare --uts sh
hostname box
```

```check
namespace uts new : 这个 shell 有了自己的 UTS 命名空间
hostname inside is box : 里面的主机名是 box
```

```hint
先想一想：内核把主机名存在哪里？
```

```hint
主机名属于 UTS 命名空间。
```

```hint
输入 `hostname box`。
```

```why
说明看到了什么，以及为什么会这样。
```

```note
只给讲者看的备注。
```
"#;

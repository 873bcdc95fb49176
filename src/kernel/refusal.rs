//! Whether a call of ours failed because boxwright's guard refused it, or the learner changed it, and not by the kernel's word
//! alone.

use nix::errno::Errno;

/// The option of prctl(2) that asks for it. A tracer of ours answers; the kernel does not know it and says EINVAL.
pub(crate) const ASK: u32 = u32::from_be_bytes(*b"boxr");

/// What the tracer has to do with a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The guard refused it, with EPERM.
    Guard,
    /// The learner changed it before it happened, or answered it: it failed with this error.
    Learner(Errno),
}

/// Above the number of an error.
const LEARNER: u64 = 0x1_0000;

impl Answer {
    /// What the tracer answers; 0 stands for nothing.
    pub(crate) fn coded(self) -> u64 {
        match self {
            Answer::Guard => 1,
            Answer::Learner(errno) => LEARNER | errno as i32 as u64,
        }
    }

    fn decoded(code: u64) -> Option<Answer> {
        match code {
            1 => Some(Answer::Guard),
            code if code & !0xffff == LEARNER => Some(Answer::Learner(Errno::from_raw((code & 0xffff) as i32))),
            _ => None,
        }
    }
}

/// What a tracer of ours has to do with this error of the last call of this thread that it takes note of.
#[expect(unsafe_code, reason = "no crate knows this call")]
pub(crate) fn of(error: Errno) -> Option<Answer> {
    // SAFETY: the call takes numbers.
    let code = unsafe { libc::prctl(ASK as libc::c_int, 0, 0, 0, 0) };
    about(error, u64::try_from(code).ok()?)
}

/// The answer of this code, unless it is about another error.
fn about(error: Errno, code: u64) -> Option<Answer> {
    Answer::decoded(code).filter(|answer| match answer {
        Answer::Guard => error == Errno::EPERM,
        Answer::Learner(errno) => error == *errno,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_tracer_nothing_was_refused() {
        assert_eq!(of(Errno::EPERM), None);
    }

    #[test]
    fn an_answer_counts_for_the_error_that_it_is_about() {
        let learner = Answer::Learner(Errno::ENOSYS);
        assert_eq!(about(Errno::EPERM, Answer::Guard.coded()), Some(Answer::Guard));
        assert_eq!(about(Errno::EINVAL, Answer::Guard.coded()), None);
        assert_eq!(about(Errno::ENOSYS, learner.coded()), Some(learner));
        assert_eq!((about(Errno::EPERM, learner.coded()), about(Errno::EPERM, 0)), (None, None));
    }

    #[test]
    fn an_answer_is_read_as_it_was_coded() {
        for answer in [Answer::Guard, Answer::Learner(Errno::ENOSYS), Answer::Learner(Errno::EPERM)] {
            assert_eq!(Answer::decoded(answer.coded()), Some(answer));
        }
        assert_eq!([0, 2, 0x2_0001].map(Answer::decoded), [None; 3]);
    }
}

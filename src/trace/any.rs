//! Any call with any registers, whose pointers lead into our own memory: for fuzz/.

use super::{Call, calls::TABLE, i386, memory::Width, stop::Stopped};
use crate::{kernel::pid::Pid, trace::Syscall};

/// How many calls the table has.
pub(crate) fn known_calls() -> usize {
    TABLE.len()
}

/// The call of this place in the table, or of this number of i386.
pub(crate) fn any_call(number: u64, of_i386: bool, registers: [u64; 6]) -> Option<Call> {
    let own = Stopped::own();
    let (syscall, registers, width) = if of_i386 {
        let (syscall, registers) = i386::read(i64::from(number as u32), registers, own.memory())?;
        (syscall, registers, Width::Four)
    } else {
        let row = TABLE.get(number as usize % TABLE.len().max(1))?;
        (Syscall::named(row.name)?, registers, Width::Eight)
    };
    Some(Call::read(Pid(1), own.memory().with(width), syscall, &registers))
}

//! The state machine of a lesson: steps, checks, replay, ledger, progress.

//! Facts of the kernel that tools and observers share, each in one table or one reader.

pub mod namespaces;

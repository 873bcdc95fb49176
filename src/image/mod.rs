//! Images: where they come from, how they are checked, and how their layers become a directory tree.
//!
//! An image is only files, named by the digests of what they hold (OCI image specification). Nothing of an image is used
//! before its digest and size have been compared with what the file that names it says: the index names manifests, a
//! manifest names a configuration and layers, and the configuration names the layers once more, uncompressed (`diff_ids`).

mod archive;
pub mod books;
pub mod builtin;
pub mod copy;
mod destination;
pub mod digest;
mod dir;
mod error;
pub mod kept;
mod layout;
mod lock;
pub mod manifest;
pub mod partial;
mod platform;
pub mod reference;
pub mod registry;
mod room;
pub mod size;
pub mod source;
pub mod staging;
pub mod unpack;

pub use digest::Digest;
pub use error::{Error, Result};
pub use platform::Platform;
pub use reference::Reference;
pub use registry::Access;
pub use source::{Image, Source, tags_of};

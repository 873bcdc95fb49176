//! An image that is open: its manifest and configuration are verified, its layers are verified while they are read.

use super::{
    Access, Digest, Error, Platform, Reference, Result,
    archive::{docker::DockerArchive, oci::OciArchive},
    builtin,
    digest::Verified,
    dir::Dir,
    kept::{self, Kept},
    layout::Layout,
    manifest::{Config, Descriptor, Document, Index, MAX_JSON, Manifest, json},
    registry::{Fault, Registry},
};
use crate::lang::say;
use std::{
    io::{self, Read},
    rc::Rc,
    sync::Arc,
};

/// How many lists may name each other.
const MAX_DEPTH: usize = 8;

/// A place that images come from. It hands out bytes; it is [`Image`] that checks them.
pub(crate) trait Source {
    /// The document that the reference names, with what its name promises about it where the name promises anything.
    fn top(&self) -> Result<(Vec<u8>, Option<Descriptor>)>;
    /// A manifest that another one names, not yet verified. Most places keep it as a blob like any other.
    fn manifest(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>> {
        self.blob(descriptor)
    }
    /// A blob, not yet verified.
    fn blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>>;
    /// The tags beside the one that the reference names. Only registries have such a list.
    fn tags(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// Hears how many bytes of a layer were read just now.
pub(crate) type Watch = Arc<dyn Fn(usize) + Send + Sync>;

/// An open image.
pub(crate) struct Image {
    source: Rc<dyn Source>,
    name: String,
    watch: Option<Watch>,
    /// What the reference names, byte for byte: the manifest, or a list in which it is.
    pub top: Vec<u8>,
    /// The manifest, byte for byte.
    pub raw: Vec<u8>,
    /// Its media type.
    pub media_type: String,
    /// The manifest.
    pub manifest: Manifest,
    /// The configuration, byte for byte.
    pub raw_config: Vec<u8>,
    /// The configuration.
    pub config: Config,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image").field("name", &self.name).field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl Image {
    /// Opens the image for a platform. `tools` are the names that the built-in image gives to this program; `access` is
    /// how a registry is reached.
    pub(crate) fn open(reference: &Reference, platform: &Platform, tools: &[&str], access: &Access) -> Result<Image> {
        let source: Box<dyn Source> = match reference {
            Reference::Oci { dir, tag } => Box::new(Layout::open(dir, tag.as_deref())?),
            Reference::OciArchive { file, tag } => Box::new(OciArchive::open(file, tag.as_deref())?),
            Reference::DockerArchive { file, name } => Box::new(DockerArchive::open(file, name.as_deref())?),
            Reference::Dir(dir) => Box::new(Dir::open(dir)?),
            Reference::Docker(name) => match kept::dir(name) {
                Some(dir) => Box::new(Kept::new(dir, name, access)),
                None => Box::new(Registry::open(name, access)?),
            },
            Reference::Builtin => Box::new(builtin::open(tools)?),
        };
        Image::from_source(source, reference.to_string(), platform)
    }

    /// The same for any source.
    pub(crate) fn from_source(source: Box<dyn Source>, name: String, platform: &Platform) -> Result<Image> {
        let source: Rc<dyn Source> = source.into();
        let (mut raw, mut promised) = source.top()?;
        let top = raw.clone();
        for _ in 0..MAX_DEPTH {
            let what = format!("{name}: manifest");
            if let Some(promised) = &promised {
                verify(&raw, promised, &what)?;
            }
            let named = promised.as_ref().map(|promised| promised.media_type.clone()).unwrap_or_default();
            match Document::parse(&raw, &named, &what)? {
                Document::Manifest(manifest) => return Image::finish(source, name, top, raw, named, *manifest),
                Document::Index(index) => {
                    let chosen = platform.choose(&index.manifests, &name)?.clone();
                    raw = whole(|| source.manifest(&chosen), &chosen, &what)?;
                    promised = Some(chosen);
                }
            }
        }
        Err(Error::malformed(name, format!("lists name lists more than {MAX_DEPTH} deep")))
    }

    fn finish(
        source: Rc<dyn Source>,
        name: String,
        top: Vec<u8>,
        raw: Vec<u8>,
        named: String,
        manifest: Manifest,
    ) -> Result<Image> {
        let media_type = manifest.media_type.clone().unwrap_or(named);
        let raw_config = whole(|| source.blob(&manifest.config), &manifest.config, &format!("{name}: config"))?;
        let config: Config = json(&raw_config, &format!("{name}: config"))?;
        Ok(Image { source, name, watch: None, top, raw, media_type, manifest, raw_config, config })
    }

    /// The list that the reference names; none where it names one image.
    pub(crate) fn list(&self) -> Result<Option<Index>> {
        match Document::parse(&self.top, "", &format!("{}: manifest", self.name))? {
            Document::Index(index) => Ok(Some(index)),
            Document::Manifest(_) => Ok(None),
        }
    }

    /// One image of the list, whatever machine it is for.
    pub(crate) fn one(&self, descriptor: &Descriptor) -> Result<Image> {
        let what = format!("{}: manifest", self.name);
        let raw = whole(|| self.source.manifest(descriptor), descriptor, &what)?;
        let named = descriptor.media_type.clone();
        match Document::parse(&raw, &named, &what)? {
            Document::Manifest(manifest) => {
                let (source, name) = (Rc::clone(&self.source), self.name.clone());
                let image = Image::finish(source, name, raw.clone(), raw, named, *manifest)?;
                Ok(Image { watch: self.watch.clone(), ..image })
            }
            Document::Index(_) => Err(Error::Unavailable {
                what: format!("{what} {}", descriptor.digest),
                why: "a list within a list, which is not copied with --all".into(),
                hint: say("--platform OS/ARCHITECTURE chooses one image", "用 --platform OS/ARCHITECTURE 选定一个镜像")
                    .into(),
            }),
        }
    }

    /// The reference, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The tags of its repository, where it comes from one.
    pub(crate) fn tags(&self) -> Result<Vec<String>> {
        self.source.tags()
    }

    /// A layer as people call it: `layer 2 of 3 (sha256:…)`.
    pub(crate) fn layer_name(&self, index: usize) -> String {
        let digest = self.manifest.layers.get(index).map(|layer| layer.digest.to_string()).unwrap_or_default();
        format!("{}: layer {} of {} ({digest})", self.name, index + 1, self.manifest.layers.len())
    }

    /// A blob of the manifest: reading it to its end fails where the bytes are not the promised ones.
    pub(crate) fn blob(&self, descriptor: &Descriptor, what: &str) -> Result<Verified<Box<dyn Read + Send>>> {
        let mut blob = self.source.blob(descriptor).map_err(|error| restricted(descriptor, what, error))?;
        if let Some(watch) = &self.watch {
            blob = Box::new(Watched { inner: blob, watch: Arc::clone(watch) });
        }
        Ok(Verified::new(blob, descriptor, what))
    }

    /// From now on the watch hears how far the layers have come.
    pub(crate) fn watch(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// The uncompressed layers' digests, one for each layer.
    pub(crate) fn diff_ids(&self) -> Result<&[Digest]> {
        let (ids, layers) = (self.config.rootfs.diff_ids.as_slice(), self.manifest.layers.len());
        if ids.len() == layers {
            return Ok(ids);
        }
        let why = format!("{} diff_ids for {layers} layers", ids.len());
        Err(Error::malformed(format!("{}: config", self.name), why))
    }

    /// Whether this machine can run it, by the configuration's own word.
    pub(crate) fn check_platform(&self, platform: &Platform) -> Result<()> {
        let (os, architecture) = (&self.config.os, &self.config.architecture);
        let same = |theirs: &str, ours: &str| theirs.is_empty() || theirs == ours;
        if same(os, &platform.os) && same(architecture, &platform.architecture) {
            return Ok(());
        }
        Err(Error::Unavailable {
            what: self.name.clone(),
            why: format!("wrong architecture: the image is for {os}/{architecture}, wanted {platform}"),
            hint: say(
                format!("--platform {os}/{architecture} takes it all the same; running it needs qemu (binfmt_misc)"),
                format!("--platform {os}/{architecture} 可以强行使用；但运行它需要 qemu（binfmt_misc）"),
            ),
        })
    }
}

/// The tags of a repository, or of the images of an archive.
pub(crate) fn tags_of(reference: &Reference, access: &Access) -> Result<Vec<String>> {
    match reference {
        Reference::Docker(name) => Registry::open(name, access)?.tags(),
        Reference::DockerArchive { file, .. } => DockerArchive::tags(file),
        other => Err(Error::Unavailable {
            what: other.to_string(),
            why: "only repositories and what docker save writes have a list of tags".into(),
            hint: say("docker://REPOSITORY or docker-archive:FILE", "可用 docker://仓库 或 docker-archive:文件").into(),
        }),
    }
}

struct Watched<R> {
    inner: R,
    watch: Watch,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        (self.watch)(count);
        Ok(count)
    }
}

/// A layer that may not be distributed is mostly not where the rest of its image is: that is the better answer.
fn restricted(layer: &Descriptor, what: &str, error: Error) -> Error {
    let by_type = ["nondistributable", "foreign"].iter().any(|word| layer.media_type.contains(word));
    // A fault on the way says nothing about the layer.
    let absent = match &error {
        Error::Registry { fault, .. } => matches!(fault, Fault::NotFound { .. }),
        Error::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
        Error::Malformed { .. } => true,
        _ => false,
    };
    if !absent || (layer.urls.is_empty() && !by_type) {
        return error;
    }
    let from = layer.address().unwrap_or_else(|| say("its publisher", "发布者").into());
    Error::Unavailable {
        what: what.into(),
        why: format!("it may not be distributed ({:?}), and is not here: {error}", layer.media_type),
        hint: say(format!("get it from {from}"), format!("可以从 {from} 取得")),
    }
}

/// Reads a small blob as a whole.
fn whole(open: impl FnOnce() -> Result<Box<dyn Read + Send>>, descriptor: &Descriptor, what: &str) -> Result<Vec<u8>> {
    if descriptor.size > MAX_JSON {
        return Err(Error::malformed(what, format!("{} bytes are too many for JSON", descriptor.size)));
    }
    let what = format!("{what} {}", descriptor.digest);
    let mut bytes = Vec::new();
    let mut reader = Verified::new(open()?, descriptor, what.clone());
    reader.read_to_end(&mut bytes).map_err(|error| Error::from_io(what, error))?;
    Ok(bytes)
}

fn verify(bytes: &[u8], promised: &Descriptor, what: &str) -> Result<()> {
    let what = format!("{what} {}", promised.digest);
    let mut reader = Verified::new(bytes, promised, what.clone());
    io::copy(&mut reader, &mut io::sink()).map(drop).map_err(|error| Error::from_io(what, error))
}

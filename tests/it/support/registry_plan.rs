//! What a registry for tests has and does.

/// Who may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    #[default]
    Everybody,
    /// Clients with a token, which each gets.
    Token,
    /// Clients with a token, which needs a password.
    TokenForPassword,
    /// Clients with a password.
    Basic,
}

/// Where a blob is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirect {
    #[default]
    None,
    /// On another host, which takes no credentials.
    Away,
    /// On the same host, which wants them again.
    Here,
}

/// What is to go wrong, and how often.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub auth: Auth,
    pub redirect: Redirect,
    /// This many requests for manifests, or to send one, are answered with this status and `Retry-After`; `date` is a moment 2 s from now.
    pub refuse: (usize, u16, &'static str),
    /// This many requests for blobs, or to send one, are answered with 500.
    pub refuse_blobs: usize,
    /// This many times a token that was right is none any more.
    pub expiries: usize,
    /// This many layers are cut in the middle.
    pub cuts: usize,
    /// Whether `Range` is known.
    pub ranges: bool,
    /// Layers stop in the middle, and nothing follows.
    pub stall: bool,
    /// Layers come in pieces, with a pause after each.
    pub slow: bool,
    /// A bit of each layer is flipped.
    pub corrupt: bool,
    /// `Docker-Content-Digest` is another's.
    pub wrong_digest: bool,
    /// There is no `Docker-Content-Digest`.
    pub no_digest: bool,
    /// There is one, with nothing in it.
    pub empty_digest: bool,
    /// A client that asks for the end of a blob is told that there is no such range.
    pub no_rest: bool,
    /// A client that asks for a token is sent to where it is given now.
    pub token_moved: bool,
    /// Manifests are of schema 1.
    pub schema1: bool,
    /// They are of schema 1 for a client that does not ask for all four newer kinds.
    pub old_unless_asked: bool,
    /// Manifests are web pages.
    pub web_page: bool,
    /// Manifests are this large.
    pub padding: usize,
    /// What every repository's name begins with.
    pub prefix: &'static str,
    /// The tags, and how a request for them is answered.
    pub tags: Tags,
}

/// How the list of tags is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tags {
    /// All at once.
    #[default]
    Whole,
    /// Two a page; the next page is behind a `Link` of this form, in which `{}` is its query.
    Paged(&'static str),
    /// Not at all, with this status.
    Refused(u16),
}

/// The tags that it has.
pub const TAGS: [&str; 5] = ["1.0", "1.1", "edge", "latest", "stable"];

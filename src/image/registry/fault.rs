//! What can go wrong between here and a registry, told apart: each has another remedy.

use crate::kernel::errno;
use crate::lang::say;
use std::{io, time::Duration};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The host's name could not be resolved.
    #[error("{host}: unknown host: DNS gives no address ({why})")]
    Dns {
        /// The host.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// No connection came about.
    #[error("{host}: no connection: {}", errno::why_io(.source))]
    Connect {
        /// The host.
        host: String,
        /// The error of connect(2).
        source: io::Error,
    },
    /// No answer came to the attempt to connect.
    #[error("{host}: no connection within {} s", .after.as_secs())]
    ConnectTimeout {
        /// The host.
        host: String,
        /// How long was waited.
        after: Duration,
    },
    /// No secure connection came about.
    #[error("{host}: no secure connection (TLS): {why}")]
    Tls {
        /// The host.
        host: String,
        /// What is wrong with the certificate or the answer.
        why: String,
        /// Whether the host does not speak TLS at all.
        plain: bool,
        /// What may help.
        hint: &'static str,
    },
    /// The proxy did not let us through.
    #[error("the proxy {proxy} gives no way to {host}: {why}")]
    Proxy {
        /// The proxy.
        proxy: String,
        /// The host.
        host: String,
        /// Its answer, or why there is none.
        why: String,
    },
    /// Connected, and then silence.
    #[error("{host}: stalled: nothing came for {} s", .after.as_secs())]
    Stalled {
        /// The host.
        host: String,
        /// How long was waited.
        after: Duration,
    },
    /// The connection ended in the middle.
    #[error("{host}: cut: the connection ended after {at} bytes{}", .of.map(|of| format!(" of {of}")).unwrap_or_default())]
    Cut {
        /// The host.
        host: String,
        /// How many bytes had come.
        at: u64,
        /// How many there should be.
        of: Option<u64>,
    },
    /// What came is not what a registry says.
    #[error("{host}: not the answer of a registry: {why}")]
    Protocol {
        /// The host.
        host: String,
        /// What came.
        why: String,
    },
    /// 401: who one is was not proved.
    #[error("{host}: refused (401): {why}")]
    Unauthorized {
        /// The host.
        host: String,
        /// What it says.
        why: String,
        /// What may help.
        hint: String,
    },
    /// 403: who one is is known, and not enough.
    #[error("{host}: forbidden (403): {why}")]
    Forbidden {
        /// The host.
        host: String,
        /// What it says.
        why: String,
    },
    /// 404.
    #[error("{host}: not found (404): {why}")]
    NotFound {
        /// The host.
        host: String,
        /// What it says.
        why: String,
    },
    /// 429.
    #[error("{host}: rate-limited (429): {why}")]
    RateLimited {
        /// The host.
        host: String,
        /// What it says, with the limit where it names one.
        why: String,
    },
    /// Any other answer.
    #[error("{host}: it answers {status}: {why}")]
    Status {
        /// The host.
        host: String,
        /// The number.
        status: u16,
        /// What it says.
        why: String,
    },
}

impl Fault {
    /// What may help.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Fault::Dns { .. } => say(
                "is the name right, and is there a network? dir:, oci: and builtin: need none",
                "名字对吗？有网络吗？dir:、oci: 和 builtin: 不需要网络",
            ),
            Fault::Connect { source, .. } => match source.raw_os_error() {
                Some(libc::ECONNREFUSED) => say(
                    "the host is there and nothing listens on this port: is the port right?",
                    "主机在，但这个端口没有程序监听：端口写对了吗？",
                ),
                Some(libc::ENETUNREACH | libc::EHOSTUNREACH) => say(
                    "no route: is this machine on a network? dir:, oci: and builtin: need none",
                    "没有路由：这台机器连网了吗？dir:、oci: 和 builtin: 不需要网络",
                ),
                _ => return None,
            },
            Fault::ConnectTimeout { .. } => say(
                "a firewall, or a proxy that must be named: HTTPS_PROXY=http://HOST:PORT",
                "可能是防火墙，或需要指定代理：HTTPS_PROXY=http://主机:端口",
            ),
            Fault::Tls { hint: "", .. } => return None,
            Fault::Tls { hint, .. } => hint,
            Fault::Proxy { .. } => say(
                "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY name the proxy; NO_PROXY=HOST goes without it",
                "代理由 HTTPS_PROXY、HTTP_PROXY、ALL_PROXY 指定；NO_PROXY=主机 则不走代理",
            ),
            Fault::Stalled { .. } => say(
                "try again; BOXWRIGHT_TIMEOUT=SECONDS waits longer on a slow line",
                "请重试；网络慢时可用 BOXWRIGHT_TIMEOUT=秒数 多等一会儿",
            ),
            Fault::Cut { .. } => say("try again; nothing half-made was left", "请重试；没有留下残缺的文件"),
            Fault::Protocol { .. } => say(
                "a login page of the network, or another service on this port?",
                "是网络的登录页，还是这个端口上是别的服务？",
            ),
            Fault::Unauthorized { hint, .. } => hint,
            Fault::Forbidden { .. } => say(
                "log in as a user who may: --src-creds USER:PASSWORD",
                "请用有权限的账号登录：--src-creds 用户:密码",
            ),
            Fault::NotFound { .. } => say(
                "is the name right, and the tag? A private repository may look like this as well",
                "名字和标签对吗？私有仓库也可能这样回答",
            ),
            Fault::RateLimited { .. } => say(
                "wait, log in (--src-creds USER:PASSWORD), name a mirror (BOXWRIGHT_MIRROR=HOST[:PORT]), or take a copy from a directory (oci:DIR)",
                "可以稍等、登录（--src-creds 用户:密码）、指定镜像站（BOXWRIGHT_MIRROR=主机[:端口]），或改用目录里的副本（oci:目录）",
            ),
            Fault::Status { status: 500.., .. } => {
                say("the registry itself has a fault: try again later", "镜像仓库出了故障：请稍后再试")
            }
            Fault::Status { .. } => return None,
        };
        Some(hint.to_string())
    }

    /// Whether the same request may go well a moment later.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Fault::Cut { .. }
                | Fault::Stalled { .. }
                | Fault::RateLimited { .. }
                | Fault::Status { status: 500 | 502 | 503 | 504, .. }
        )
    }
}

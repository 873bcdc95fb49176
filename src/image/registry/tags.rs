//! The tags of a repository (distribution specification, "Listing Tags"): a list that may come page by page.

use super::{client::Client, fault::Fault};
use crate::image::{Error, Result, manifest::json};
use serde::Deserialize;
use ureq::http::{HeaderMap, header};

/// How large a page may be, in bytes.
const MAX_PAGE: u64 = 4 << 20;
/// How many pages and tags are taken: a registry with more may send for ever.
const MAX_PAGES: usize = 1000;
const MAX_TAGS: usize = 100_000;

#[derive(Deserialize)]
struct Page {
    /// Null where there is none.
    tags: Option<Vec<String>>,
}

/// Asks for one page after the other.
pub(super) fn all(client: &Client, what: &str) -> Result<Vec<String>> {
    let wrong = |why: String| {
        let fault = Fault::Protocol { host: client.host().into(), why };
        Error::Registry { what: what.into(), fault }
    };
    let (mut all, mut rest) = (Vec::new(), "tags/list".to_string());
    for _ in 0..MAX_PAGES {
        let (bytes, response) = client.document(&rest, "application/json", MAX_PAGE, what)?;
        all.extend(json::<Page>(&bytes, what)?.tags.unwrap_or_default());
        let next = next(response.headers()).map(|query| format!("tags/list?{query}"));
        match next {
            _ if all.len() > MAX_TAGS => break,
            None => return Ok(all),
            Some(next) if next == rest => return Err(wrong("a page of tags that names itself as the next".into())),
            Some(next) => rest = next,
        }
    }
    Err(wrong(format!("more than {MAX_TAGS} tags, or {MAX_PAGES} pages of them")))
}

/// The query of the next page (RFC 8288). Its path is that of this page: no other host is asked, whatever it says.
fn next(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let mut next = links.flat_map(|value| value.split(',')).filter_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let relation = parameters.replace([' ', '"'], "");
        let next = relation.split(';').any(|parameter| parameter.eq_ignore_ascii_case("rel=next"));
        target.split_once('?').filter(|_| next).map(|(_, query)| query.to_string())
    });
    next.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found() {
        let table = [
            (r#"</v2/a/tags/list?last=x&n=2>; rel="next""#, Some("last=x&n=2")),
            ("<https://other.example/v2/a/tags/list?last=x>;rel=next", Some("last=x")),
            (r#"<list?p=1>; rel="prev", <list?p=3>; title=x; rel="next""#, Some("p=3")),
            (r#"</v2/a/tags/list?last=x>; rel="last""#, None),
            (r#"</v2/a/tags/list>; rel="next""#, None),
            ("<list?x", None),
            ("", None),
        ];
        for (link, query) in table {
            let headers = [(header::LINK, link.parse().unwrap())].into_iter().collect();
            assert_eq!(next(&headers).as_deref(), query, "{link}");
        }
    }
}

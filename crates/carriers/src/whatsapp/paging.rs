//! Lists of the Graph API, which come in pages.

use reqwest::Url;
use serde::Deserialize;

/// One page of a list.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct Page<T> {
    /// What is on it.
    pub(super) data: Vec<T>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    cursors: Option<Cursors>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Cursors {
    #[serde(default)]
    after: Option<String>,
}

/// There is a next page, and nothing says where: what is on it would be taken for gone.
pub(super) struct NoCursor;

impl<T> Page<T> {
    /// The cursor of the next page; none on the last. A cursor stands on the last page too; a next
    /// page has an address.
    pub(super) fn next(&self) -> Result<Option<String>, NoCursor> {
        let Some(paging) = self.paging.as_ref().filter(|paging| paging.next.is_some()) else {
            return Ok(None);
        };
        let after = paging.cursors.as_ref().and_then(|cursors| cursors.after.clone());
        after.map(Some).ok_or(NoCursor)
    }
}

/// Asks for these fields of `size` things behind a cursor.
pub(super) fn ask(url: &mut Url, fields: &str, size: usize, after: Option<&str>) {
    url.query_pairs_mut()
        .append_pair("fields", fields)
        .append_pair("limit", &size.to_string())
        .extend_pairs(after.iter().map(|after| ("after", after)));
}

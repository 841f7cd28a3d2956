//! Where carriers reach the api of this platform: one address, which every process goes by.

use domain::platform::PublicUrl;
use stage::Fault;

use crate::{Store, fault};

/// The address that was said before; none on a new platform.
pub async fn read(store: &Store) -> Result<Option<PublicUrl>, Fault> {
    let row = sqlx::query!("select url, is_named from platform_url")
        .fetch_optional(store.pool())
        .await
        .map_err(fault)?;
    Ok(row.map(|row| PublicUrl { url: row.url, is_named: row.is_named }))
}

/// Says the address, unless somebody was first.
pub async fn say_first(store: &Store, public: &PublicUrl) -> Result<(), Fault> {
    sqlx::query!(
        "insert into platform_url (url, is_named) values ($1, $2) on conflict do nothing",
        public.url,
        public.is_named,
    )
    .execute(store.pool())
    .await
    .map_err(fault)?;
    Ok(())
}

/// Replaces the address, whatever it was.
pub async fn replace(store: &Store, public: &PublicUrl) -> Result<(), Fault> {
    sqlx::query!(
        "insert into platform_url as p (url, is_named) values ($1, $2)
         on conflict (id) do update set url = excluded.url, is_named = excluded.is_named",
        public.url,
        public.is_named,
    )
    .execute(store.pool())
    .await
    .map_err(fault)?;
    Ok(())
}

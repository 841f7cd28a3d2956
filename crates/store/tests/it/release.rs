//! What is given back of a person's marketing: what was not sent, and nothing else.

use domain::{
    address::Address,
    ids::SenderId,
    message::class::{Channel, MessageClass},
    money::Micros,
};
use jiff::Timestamp;
use store::{
    Role,
    capacity::release::{Reservation, release},
};
use testkit::Database;

const NUMBER: &str = "+12125550100";

fn at(hour: u8) -> Timestamp {
    format!("2026-03-04T{hour:02}:00:00Z").parse().expect("an instant")
}

#[tokio::test]
async fn each_message_that_was_not_sent_is_forgotten_and_no_promotion_that_was()
-> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let mut connection = database.superuser().await?;
    sqlx::query(
        "insert into millrace.standings (tenant_id, number, channel, last_promo_at, marketing_at)
         values ('acme', $1, 'sms', $2, array[$2, $2, $2, $3]::timestamptz[])",
    )
    .bind(NUMBER)
    .bind(jiff_sqlx::Timestamp::from(at(12)))
    .bind(jiff_sqlx::Timestamp::from(at(9)))
    .execute(&mut connection)
    .await?;

    let address: Address = NUMBER.parse()?;
    let unsent = |class, hour| Reservation {
        tenant: &tenant,
        class,
        campaign: None,
        sender: SenderId::of(&tenant, "+12125550001"),
        reserved_at: Some(at(hour)),
        segments: 1,
        claimed: false,
        cost: Micros(0),
        unsent: Some((&address, Channel::Sms)),
        over: true,
    };

    let store = database.store(Role::Pipeline).await?;
    let mut left = async |freed: &[Reservation<'_>]| {
        let mut tx = store.scoped([&tenant]).await?;
        release(&mut tx, at(13), freed).await?;
        tx.commit().await?;
        let look = "select array_length(marketing_at, 1), last_promo_at is not null
                    from millrace.standings";
        anyhow::Ok(sqlx::query_as::<_, (Option<i32>, bool)>(look).fetch_one(&mut connection).await?)
    };

    let journey = unsent(MessageClass::Journey, 12);
    assert_eq!(left(&[journey.clone(), journey]).await?, (Some(2), true));
    assert_eq!(left(&[unsent(MessageClass::Journey, 11)]).await?, (Some(2), true));
    assert_eq!(left(&[unsent(MessageClass::Promo, 12)]).await?, (Some(1), false));
    Ok(())
}

//! Orders and releases of numbers that nobody has settled, and what the account's list makes of
//! them.

use std::time::Duration;

use jiff::Timestamp;
use reconcile::{OpenNumbers, OpenNumbersConfig};
use serde_json::json;
use stage::{Cx, Source};
use testkit::world::{TestCarrier, TestWorld, now, sealer};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

struct Market {
    base: TestWorld,
    carrier: TestCarrier,
}

impl Market {
    async fn open() -> anyhow::Result<Self> {
        let (base, carrier) = (TestWorld::start().await?, TestCarrier::start().await?);
        base.account_at(&carrier, "token").await?;
        Ok(Self { base, carrier })
    }

    /// Orders a number past the platform; whether the carrier's answer came.
    async fn buy(&self, number: &str) -> bool {
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json");
        let buy = self.carrier.http.post(format!("{}{path}", self.carrier.url()));
        let buy = buy.basic_auth(ACCOUNT, Some("token")).form(&[("PhoneNumber", number)]);
        buy.send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// How many numbers the account has at the carrier.
    async fn at_carrier(&self) -> anyhow::Result<usize> {
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json");
        let list = self.carrier.http.get(format!("{}{path}", self.carrier.url()));
        let list = list.basic_auth(ACCOUNT, Some("token")).send().await?.text().await?;
        let list: serde_json::Value = serde_json::from_str(&list)?;
        Ok(list["incoming_phone_numbers"].as_array().map_or(0, Vec::len))
    }

    /// A number of which the carrier was asked something so long ago.
    async fn asked(&self, number: &str, state: &str, ago: Duration) -> anyhow::Result<()> {
        let row = json!({
            "tenant_id": "acme", "number_id": domain::ids::SenderId::of(&self.base.tenant, number),
            "account": "main", "number": number, "state": state, "created_at": now(),
            "asked_at": machine() - ago,
        });
        self.base.insert("numbers", &[row]).await
    }

    /// One look of a process that looks after such numbers, so long after now.
    async fn look(&self, later: Duration) -> anyhow::Result<()> {
        let allow_hosts = vec!["127.0.0.1".into()];
        let config = OpenNumbersConfig { allow_hosts, ..OpenNumbersConfig::default() };
        let (store, http) = (self.base.pipeline().await?, self.carrier.http.clone());
        let source = OpenNumbers::new(store, sealer(), http, config);
        let tick = source.tick(&Cx::at(now(), machine() + later)).await?;
        assert!(tick.say.is_empty() && !tick.more);
        Ok(())
    }

    /// The state of each number, in their order.
    async fn states(&self) -> anyhow::Result<String> {
        let states = "select coalesce(string_agg(state, ' ' order by number), '')
                      from millrace.numbers";
        self.base.one(states).await
    }
}

fn machine() -> Timestamp {
    stage::machine::now()
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_settled_by_the_accounts_list() -> anyhow::Result<()> {
    let market = Market::open().await?;
    market.carrier.faults(json!({ "lost_order": 1.0 })).await?;
    assert!(!market.buy("+12025550110").await, "the carrier has taken it and its answer is lost");
    assert_eq!(market.at_carrier().await?, 1);
    market.carrier.faults(json!({})).await?;

    // In doubt as its process said, ordered as one that died left it, and one not yet to be judged.
    market.asked("+12025550110", "in_doubt", 3 * MINUTE).await?;
    market.asked("+12025550111", "ordered", 20 * MINUTE).await?;
    market.asked("+12025550112", "ordered", 3 * MINUTE).await?;
    market.asked("+12025550113", "ordered", MINUTE).await?;
    market.look(Duration::ZERO).await?;
    assert_eq!(market.states().await?, "owned failed ordered ordered");
    let named = "select count(*) from millrace.numbers where carrier_id like 'PN%'";
    assert_eq!(market.base.number(named).await?, 1);

    // Each is looked for again later, and was not given once the list must have it.
    let looks = "select sum(looks)::bigint from millrace.numbers where state = 'ordered'";
    assert_eq!(market.base.number(looks).await?, 1);
    market.look(Duration::ZERO).await?;
    assert_eq!(market.base.number(looks).await?, 1, "it is not looked for all the time");
    market.look(20 * MINUTE).await?;
    assert_eq!(market.states().await?, "owned failed failed failed");
    Ok(())
}

#[tokio::test]
async fn a_release_that_was_asked_for_is_asked_for_until_it_is_done() -> anyhow::Result<()> {
    let market = Market::open().await?;
    assert!(market.buy("+12025550120").await);
    market.asked("+12025550120", "releasing", 3 * MINUTE).await?;
    market.asked("+12025550121", "releasing", 3 * MINUTE).await?;
    market.asked("+12025550122", "owned", 3 * MINUTE).await?;

    market.look(Duration::ZERO).await?;
    assert_eq!(market.at_carrier().await?, 0, "it was given back");
    assert_eq!(market.states().await?, "owned", "what is given back is forgotten");
    Ok(())
}

#[tokio::test]
async fn a_list_that_cannot_be_read_settles_nothing() -> anyhow::Result<()> {
    let market = Market::open().await?;
    let away = json!({ "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z" });
    market.asked("+12025550110", "ordered", 20 * MINUTE).await?;
    market.asked("+12025550120", "releasing", 20 * MINUTE).await?;
    for (status, later) in [(503, 60 * MINUTE), (401, 300 * MINUTE)] {
        let mut outage = away.clone();
        outage["status"] = status.into();
        market.carrier.faults(json!({ "account_outage": outage })).await?;
        market.look(later).await?;
        assert_eq!(market.states().await?, "ordered releasing");
    }
    Ok(())
}

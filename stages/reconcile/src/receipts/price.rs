//! What receipts say of prices: the first carrier that does is WhatsApp. A price that is told
//! settles what the message costs, once: of all receipts the one that tells most decides, in
//! whatever order they come.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use domain::{
    billing::{self, PriceNotice, PriceSettlement, Priced, WhatsappRates},
    draft,
    gates::Windows,
    message::state::MessageState,
    money::Micros,
};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    messages::receipt::{
        Reported,
        price::{self, NumberMonth, RatesAt},
    },
};

use crate::receipts::{
    report::{Key, Report, Reports},
    taken::Rows,
};

/// What prices are settled by.
#[derive(Default)]
pub(crate) struct Prices {
    of: HashMap<Key, OfMessage>,
    /// How many service messages numbers have had in their months, where so many are free.
    pub(crate) used: BTreeMap<NumberMonth, u32>,
}

/// What a message is priced by.
struct OfMessage {
    rates: Arc<WhatsappRates>,
    /// The month that it counts in; none without a sender, or where nothing is free.
    month: Option<NumberMonth>,
}

/// A price that a receipt has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    /// What is kept of it with the message.
    pub(crate) settlement: PriceSettlement,
    /// What the message costs.
    pub(crate) cost: Micros,
    /// When the receipt came.
    pub(crate) at: Timestamp,
    /// What its number's month moves by.
    pub(crate) month: Option<(NumberMonth, i32)>,
}

impl Prices {
    /// Loads what the prices that reports tell are settled by, and locks the months of numbers.
    /// Asks nobody where none tells one, as for every carrier of SMS.
    pub(crate) async fn load(
        tx: &mut Scoped,
        rows: &Rows,
        reports: &Reports,
    ) -> Result<Self, Fault> {
        let priced: Vec<(&Key, &Reported)> = reports
            .iter()
            .filter(|(_, of_message)| of_message.iter().any(|(_, one)| one.price.is_some()))
            .filter_map(|(key, _)| Some((key, rows.get(key)?)))
            .collect();
        if priced.is_empty() {
            return Ok(Self::default());
        }

        let asked: Vec<_> = priced.iter().map(|(key, row)| (&key.0, row.priced_at())).collect();
        let rates = price::rates(tx, &asked).await?;
        let of: HashMap<Key, OfMessage> = priced
            .iter()
            .zip(rates)
            .filter_map(|((key, row), rates)| Some(((*key).clone(), of_message(row, &rates?))))
            .collect();

        let months: Vec<NumberMonth> = of.values().filter_map(|one| one.month.clone()).collect();
        let used = price::lock_used(tx, &months).await?;
        Ok(Self { of, used })
    }

    /// Settles a message by what its reports say, after those before it in `used`. None where they
    /// say nothing that is new.
    pub(crate) fn settle(
        &self,
        key: &Key,
        row: &Reported,
        reports: &[&Report],
        used: &mut BTreeMap<NumberMonth, u32>,
    ) -> Option<Settled> {
        let (report, notice) = telling_most(reports)?;
        let of = self.of.get(key)?;
        let message = Priced {
            country: row.address.as_ref().and_then(draft::country),
            turn: row.message.turn,
            cost: row.message.cost,
            before: row.settlement,
        };

        // Without a month that it counts in, nothing is free any more.
        let mut none_left = u32::MAX;
        let counted = of.month.as_ref().and_then(|month| used.get_mut(month));
        let counted = counted.unwrap_or(&mut none_left);
        let told = (report.state, notice);
        let (settlement, cost) = billing::settle_whatsapp(&message, told, &of.rates, counted)?;

        let was = row.settlement.is_some_and(|before| before.is_counted);
        let by = i32::from(settlement.is_counted) - i32::from(was);
        let month = of.month.clone().filter(|_| by != 0).map(|month| (month, by));
        Some(Settled { settlement, cost, at: report.at, month })
    }
}

fn of_message(row: &Reported, RatesAt { rates, zone }: &RatesAt) -> OfMessage {
    let month_start = || Some(Windows::at(row.priced_at(), (*zone)?).month_start);
    let month = || Some((row.message.tenant.clone(), row.message.sender?, month_start()?));
    let was_counted = row.settlement.is_some_and(|before| before.is_counted);
    let is_counted = rates.free_service_messages > 0 || was_counted;
    OfMessage { rates: rates.clone(), month: is_counted.then(month).flatten() }
}

/// The report with a price that tells most of its message: the first of those that tell as much.
fn telling_most<'a>(reports: &[&'a Report]) -> Option<(&'a Report, PriceNotice)> {
    let told = reports.iter().filter_map(|report| Some((*report, report.price?)));
    told.reduce(|most, other| if tells_more(other.0.state, most.0.state) { other } else { most })
}

fn tells_more(one: MessageState, other: MessageState) -> bool {
    other.merge(one) != other
}

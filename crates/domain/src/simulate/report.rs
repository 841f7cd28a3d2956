//! What a simulation has come to, counted.

use jiff::Timestamp;

use super::{
    answers::{Answers, SimulatedGroup},
    forecast::{Forecast, SenderTotal},
};
use crate::money::Micros;

/// A simulation's result.
#[derive(Debug)]
pub struct SimulationReport {
    /// The first instant, at which everybody was asked.
    pub at: Timestamp,
    /// The policy's version; none where the tenant's facts could not be read.
    pub policy_version: Option<i64>,
    /// What the gates said at the first instant.
    pub answers: Answers,
    /// The same by gate and code, in the gates' order.
    pub groups: Vec<SimulatedGroup>,
    /// Each sender's days until the end.
    pub senders: Vec<SenderTotal>,
    /// How many messages leave until the end.
    pub sent: u64,
    /// The segments of those that leave.
    pub segments: u64,
    /// The cost of those that leave.
    pub cost: Micros,
    /// When the first message leaves.
    pub first_send_at: Option<Timestamp>,
    /// When the last message leaves; none while some are left.
    pub finish_at: Option<Timestamp>,
    /// Those who had to wait and were then held, blocked, or of no use any more.
    pub dropped: u64,
    /// Those who still wait at the end of what is looked at.
    pub waiting: u64,
}

impl SimulationReport {
    /// The first answers and what the days after them have come to.
    pub(super) fn of(
        at: Timestamp,
        policy_version: Option<i64>,
        mut answers: Answers,
        forecast: Forecast,
    ) -> Self {
        let waiting = forecast.left();
        Self {
            at,
            policy_version,
            groups: answers.take_groups(),
            answers,
            senders: forecast.days.into_values().collect(),
            sent: forecast.sent,
            segments: forecast.segments,
            cost: forecast.cost,
            first_send_at: forecast.first_send_at,
            finish_at: forecast.last_send_at.filter(|_| waiting == 0),
            dropped: forecast.dropped,
            waiting,
        }
    }
}

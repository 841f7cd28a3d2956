//! Every stage and source that goes through the contract: what comes before it, what it works on,
//! and how facts change under it.

use serde_json::json;
use stage::StageName::{
    self, Audience, Enrich, Gate, Inbound, Media, Reconcile, Reply, Rollup, Schedule, Send,
    Throttle,
};
use testkit::contract::{ContractSubject, ContractWork, DueRows, Poison, Retold, World};

use crate::inputs::{self, Caller};

/// Business time, which stands still: noon in New York.
const NOON: &str = "2026-06-10T16:00:00Z";

/// The night before, in New York.
const NIGHT: &str = "2026-06-10T03:00:00Z";

/// One stage or source, and what the contract must know about it.
pub struct Case {
    pub stage: StageName,
    /// What it begins with.
    made: Made,
    /// The stages whose work comes before.
    before: &'static [StageName],
    work: ContractWork,
    /// How the facts change for about half of its input, before that comes again.
    changes: Change,
    /// What the database alone refuses of its input.
    poison: Poison,
}

/// How facts change.
#[derive(Clone, Copy)]
enum Change {
    /// By these statements.
    Rows(&'static [&'static str]),
    /// By these, and the carrier refuses half of all texts.
    AndCarrier(&'static [&'static str]),
    /// Nothing that it could decide otherwise, and why.
    None(&'static str),
}

/// Whoever had said no says yes, and half of those who had not say no.
const PEOPLE_THINK_AGAIN: &[&str] = &["update millrace.standings
     set opted_out_at = case when opted_out_at is null and number ~ '[02468].$'
                             then '2026-06-10 15:00Z'::timestamptz end,
         do_not_contact_at = null, do_not_contact_reason = null,
         marketing_consent_at = '2026-06-10 15:00Z'"];

/// As if all texts had joined bursts, which are made afterwards.
const JOINED: &str =
    "update millrace.inbound_texts set burst_at = '2026-01-01Z' where meaning = 'text'";

/// Sources are handed nothing, so nothing comes to them again, and no input is poison: a row is
/// what the database has taken.
const SOURCE: (Change, Poison) = (
    Change::None("a source is handed nothing twice"),
    Poison::None("its input is what the database holds"),
);

/// What a case begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// Messages that were submitted at noon.
    Messages,
    /// Messages that were submitted at night, while campaigns must wait.
    AtNight,
    /// Messages that the carrier answers to nobody.
    Unanswered,
    /// Campaigns that were started.
    Campaigns,
    /// Messages that were submitted at noon, which some people answer with a picture.
    Pictures,
    /// What has moved of messages that were submitted at noon, told message by message.
    Counts,
    /// Messages that were submitted at noon, and answers that are written for what people say.
    Keywords,
    /// Messages that were submitted at noon, whose texts have joined bursts.
    Bursts,
}

pub const ENRICH: Case = Case {
    stage: Enrich,
    made: Made::Messages,
    before: &[],
    work: ContractWork::Frames,
    changes: Change::Rows(&["insert into millrace.cancel_marks
         select tenant_id, message_id, '2026-06-10 15:00Z' from millrace.messages
         where number ~ '[02468].$'"]),
    poison: Poison::Refused(inputs::refused_metadata),
};

pub const GATE: Case = Case {
    stage: Gate,
    made: Made::Messages,
    before: &[Enrich],
    work: ContractWork::Frames,
    changes: Change::Rows(PEOPLE_THINK_AGAIN),
    poison: Poison::Refused(inputs::refused_parking),
};

pub const THROTTLE: Case = Case {
    stage: Throttle,
    made: Made::Messages,
    before: &[Enrich, Gate],
    work: ContractWork::Frames,
    changes: Change::None("it decides the order alone, and keeps nothing"),
    poison: Poison::None("it writes nothing"),
};

pub const SEND: Case = Case {
    stage: Send,
    made: Made::Messages,
    before: &[Enrich, Gate, Throttle],
    work: ContractWork::Frames,
    changes: Change::AndCarrier(PEOPLE_THINK_AGAIN),
    poison: Poison::None(
        "of a message it writes ids and numbers, and a text that was stored before",
    ),
};

pub const RECONCILE: Case = Case {
    stage: Reconcile,
    made: Made::Messages,
    before: &[Enrich, Gate, Throttle, Send],
    work: ContractWork::Frames,
    changes: Change::None("a report alone decides, and never lowers a state"),
    poison: Poison::None("of a report it writes numbers, and an id whose form is checked before"),
};

pub const INBOUND: Case = Case {
    stage: Inbound,
    made: Made::Messages,
    before: &[Enrich, Gate, Throttle, Send],
    work: ContractWork::Frames,
    changes: Change::Rows(PEOPLE_THINK_AGAIN),
    poison: Poison::None("what the database refuses is left out of a text"),
};

/// Texts that have answers of their own: the stage answers them by itself.
pub const REPLY: Case = Case {
    stage: Reply,
    made: Made::Keywords,
    before: &[Enrich, Gate, Throttle, Send, Inbound],
    work: ContractWork::Frames,
    changes: Change::Rows(PEOPLE_THINK_AGAIN),
    poison: Poison::None("it writes ids, and what the model says"),
};

pub const ROLLUP: Case = Case {
    stage: Rollup,
    made: Made::Counts,
    before: &[Enrich, Gate, Throttle, Send],
    work: ContractWork::Frames,
    changes: Change::None("it counts what was decided"),
    poison: Poison::None("it writes ids and numbers, and names that it knows"),
};

/// Campaigns that were started: each is frozen, and then fed.
pub const AUDIENCE: Case = Case {
    stage: Audience,
    made: Made::Campaigns,
    before: &[],
    work: ContractWork::Rows(DueRows {
        parts: inputs::CAMPAIGNS,
        tick: "active_campaigns",
        aside: "update millrace.campaigns set leased_until = '2100-01-01Z'",
        give: "update millrace.campaigns c set leased_until = null
               from parts p where p.id = c.campaign_id and p.index % $2 = $1",
        later: "update millrace.campaigns set leased_until = null
                where leased_until < '2100-01-01Z'",
        left: "select count(*) from millrace.campaigns
               where (state = 'starting' or cursor < audience_size)
                 and (leased_until is null or leased_until < '2100-01-01Z')",
    }),
    changes: SOURCE.0,
    poison: SOURCE.1,
};

/// Messages that were put aside over night, in the morning.
pub const SCHEDULE: Case = Case {
    stage: Schedule,
    made: Made::AtNight,
    before: &[Enrich, Gate],
    work: ContractWork::Rows(DueRows {
        parts: 64,
        tick: "due_parked",
        aside: "update millrace.parked set due = '2100-01-01Z'",
        give: "update millrace.parked r set due = '2026-06-10 13:00Z'
               from parts p where p.id = r.message_id and p.index % $2 = $1",
        later: "select",
        left: "select count(*) from millrace.parked where due < '2100-01-01Z'",
    }),
    changes: SOURCE.0,
    poison: SOURCE.1,
};

/// Texts that wait in bursts: the source asks the model about them.
pub const ANSWERS: Case = Case {
    stage: Reply,
    made: Made::Bursts,
    before: &[Enrich, Gate, Throttle, Send, Inbound, Reply],
    work: ContractWork::Rows(DueRows {
        parts: 128,
        tick: "due_bursts",
        aside: "update millrace.reply_bursts set due = '2100-01-01Z'",
        give: "update millrace.reply_bursts b set due = '2026-01-01Z'
               from parts p where p.id = b.burst_id and p.index % $2 = $1",
        later: "update millrace.reply_bursts set leased_until = null, due = '2026-01-01Z'
                where due < '2100-01-01Z'",
        left: "select count(*) from millrace.reply_bursts where due < '2100-01-01Z'",
    }),
    changes: SOURCE.0,
    poison: SOURCE.1,
};

/// Pictures that came with texts, at both carriers.
pub const MEDIA: Case = Case {
    stage: Media,
    made: Made::Pictures,
    before: &[Enrich, Gate, Throttle, Send, Inbound],
    work: ContractWork::Rows(DueRows {
        parts: 64,
        tick: "due_media",
        aside: "update millrace.media set due = '2100-01-01Z'",
        give: "update millrace.media m set due = '2026-01-01Z'
               from parts p
               where p.id = m.media_id and p.index % $2 = $1 and m.state = 'pending'",
        later: "update millrace.media set due = '2026-01-01Z'
                where due < '2100-01-01Z' and state = 'pending'",
        left: "select count(*) from millrace.media where due < '2100-01-01Z'",
    }),
    changes: SOURCE.0,
    poison: SOURCE.1,
};

/// Calls whose answer nobody heard, and claims whose owner has died.
pub const SWEEP: Case = Case {
    stage: Reconcile,
    made: Made::Unanswered,
    before: &[Enrich, Gate, Throttle, Send],
    work: ContractWork::Rows(DueRows {
        parts: 128,
        tick: "past_claims",
        aside: "with claims as (update millrace.open_claims set call_by = '2100-01-01Z')
                update millrace.doubts set next_look = '2100-01-01Z'",
        give: "with claims as (
                   update millrace.open_claims c set call_by = '2026-01-01Z'
                   from parts p where p.id = c.owner and p.index % $2 = $1
                   returning 1
               ), doubts as (
                   update millrace.doubts d set next_look = '2026-01-01Z'
                   from parts p where p.id = d.message_id and p.index % $2 = $1
                   returning 1
               )
               select from claims union all select from doubts",
        later: "update millrace.doubts set next_look = '2026-01-01Z'
                where next_look < '2100-01-01Z'",
        left: "select (select count(*) from millrace.doubts where next_look < '2100-01-01Z')
                    + (select count(*) from millrace.open_claims where call_by < '2100-01-01Z')",
    }),
    changes: SOURCE.0,
    poison: SOURCE.1,
};

impl ContractSubject for Case {
    fn stage(&self) -> StageName {
        self.stage
    }

    fn program(&self) -> &'static str {
        env!("CARGO_BIN_EXE_millrace")
    }

    fn work(&self) -> &ContractWork {
        &self.work
    }

    fn calls_broker(&self) -> bool {
        self.stage != Media
    }

    fn has_database(&self) -> bool {
        self.stage != Throttle
    }

    fn retold(&self) -> Option<Retold> {
        (self.stage == Rollup).then_some(Retold {
            due: "update millrace.moved_counts set said_at = '2026-01-01Z'",
            left: "select count(*) from millrace.moved_counts",
        })
    }

    async fn prepare(&self, world: &World<'_>) -> anyhow::Result<()> {
        world.set_clock(if self.made == Made::AtNight { NIGHT } else { NOON }).await?;
        world.tool(&["tenant", "create", "acme"]).await?;

        let key = world.tool(&["token", "create", "--tenant", "acme"]).await?;
        let caller = Caller::new(world.api(), world.sandbox(), key.trim())?;

        let ingress = world.ingress().await?;
        inputs::set_up(&caller).await?;
        if self.made == Made::Campaigns {
            inputs::start_campaigns(&caller).await?;
        } else {
            inputs::submit(&caller).await?;
        }

        if self.made == Made::Unanswered {
            world.carrier_faults(&json!({ "lost_response": 0.5, "reset_before": 1.0 })).await?;
        }

        for &earlier in self.before {
            if earlier == Inbound {
                inputs::answer(&caller).await?;
            }
            if earlier == Reply {
                // Its texts have joined bursts, so that none of their frames is left.
                world.change(JOINED).await?;
            }
            let process = world.start(earlier, None).await?;
            world.work(earlier, &ContractWork::Frames, process).await?.end().await?;
        }
        if self.stage == Inbound {
            inputs::answer(&caller).await?;
        }

        inputs::quiet(&caller).await?;
        if self.before.contains(&Send) && self.made != Made::Unanswered {
            inputs::both_carriers_have_texts(&caller).await?;
        }
        for sql in self.made.rows() {
            world.change(sql).await?;
        }
        if self.made == Made::Counts {
            inputs::tell_counts(world, NOON).await?;
        }
        world.set_clock(NOON).await?;
        ingress.kill().await
    }

    async fn change(&self, world: &World<'_>) -> anyhow::Result<()> {
        let rows = match self.changes {
            Change::Rows(rows) => rows,
            Change::AndCarrier(rows) => {
                let refuse = json!({ "refuse": [{ "code": 21614, "rate": 0.5 }] });
                world.carrier_faults(&refuse).await?;
                rows
            }
            Change::None(why) => {
                assert!(!why.is_empty(), "why is there nothing to change?");
                &[]
            }
        };

        for sql in rows {
            let changed = world.change(sql).await?;
            assert!(changed > 0, "nothing was changed by {sql}");
        }
        Ok(())
    }

    fn poison(&self) -> Poison {
        self.poison
    }
}

impl Made {
    /// Statements that number rows, so that they can be dealt into parts. Of the calls that nobody
    /// answered all but eight become claims of processes that have died since: there is one in each
    /// part.
    fn rows(self) -> &'static [&'static str] {
        match self {
            Self::Messages => &[],

            Self::Counts => &["with whole as (
                      select * from millrace.moved_counts where messages > 1
                  ), cut as (
                      update millrace.moved_counts m
                      set messages = 1, released = least(w.released, 1)
                      from whole w where m.tenant_id = w.tenant_id and m.group_id = w.group_id
                  )
                  insert into millrace.moved_counts (tenant_id, minute_start, as_of, campaign_id,
                      variant, sender_id, country, code, old_state, old_detail, new_state,
                      new_detail, messages, released, segments, cost_micros)
                  select tenant_id, minute_start, as_of, campaign_id, variant, sender_id, country,
                      code, old_state, old_detail, new_state, new_detail, 1,
                      case when n <= released then 1 else 0 end, 0, 0
                  from whole cross join generate_series(2, messages) n"],

            Self::AtNight => &["create table parts as
                  select message_id as id, row_number() over (order by message_id) - 1 as index
                  from millrace.parked"],

            Self::Campaigns => &["create table parts as
                  select campaign_id as id, row_number() over (order by campaign_id) - 1 as index
                  from millrace.campaigns"],

            Self::Keywords => &["insert into millrace.assistant_settings
                      (tenant_id, scope, target, version, body, changed_at, changed_by)
                  values ('acme', 'company', '00000000-0000-0000-0000-000000000000', 1,
                          '{\"keywords\": [{\"words\": [\"gracias\", \"how late are you open\"],
                                          \"answer\": \"Until six.\"}]}',
                          '2026-06-10 16:00Z', 'key:test')"],

            // One for each conversation, as the stage makes them.
            Self::Bursts => &[
                "insert into millrace.reply_bursts (tenant_id, burst_id, conversation_id, epoch,
                     inbound_id, contact_id, sender_id, number, channel, received_at, began_at, due)
                 select distinct on (i.conversation_id) i.tenant_id, i.inbound_id,
                        i.conversation_id, i.epoch, i.inbound_id, i.contact_id, i.sender_id,
                        c.number, 'sms', i.received_at, now(), '2026-01-01Z'
                 from millrace.inbound_texts i
                 join millrace.contacts c
                   on c.tenant_id = i.tenant_id and c.contact_id = i.contact_id
                 where i.meaning = 'text'
                 order by i.conversation_id, i.received_at desc, i.inbound_id",
                "create table parts as
                 select burst_id as id, row_number() over (order by burst_id) - 1 as index
                 from millrace.reply_bursts",
            ],

            Self::Pictures => &["create table parts as
                  select media_id as id, row_number() over (order by media_id) - 1 as index
                  from millrace.media"],

            Self::Unanswered => &[
                "create table parts as
                 select message_id as id, row_number() over (order by message_id) - 1 as index
                 from (select message_id from millrace.doubts order by message_id limit 136) d",
                "delete from millrace.doubts where message_id not in (select id from parts)",
                "delete from millrace.open_claims",
                "with dead as (
                     delete from millrace.doubts d using parts p
                     where p.id = d.message_id and p.index < 128
                     returning d.tenant_id, d.message_id
                 ), claimed as (
                     update millrace.messages m set state = 3, claim_owner = m.message_id
                     from dead d where m.tenant_id = d.tenant_id and m.message_id = d.message_id
                     returning m.tenant_id, m.message_id, m.call_by
                 )
                 insert into millrace.open_claims
                 select tenant_id, message_id, 1, call_by, array[message_id] from claimed",
            ],
        }
    }
}

macro_rules! cases {
    ($($test:ident $case:ident;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() -> anyhow::Result<()> {
            stands_everything(&cases::$case).await
        })*

        #[test]
        fn every_stage_is_put_through_the_contract() {
            for stage in StageName::ALL {
                let named = [$(cases::$case.stage),*].contains(stage);
                assert!(named, "{} is not in the list of the contract", stage.as_str());
            }
        }
    };
}
pub(crate) use cases;

//! The messages of a lane that are ready, by tenant: they take turns, so that one tenant's flood is
//! behind nobody but itself.

use std::collections::{HashMap, VecDeque};

use domain::ids::TenantId;
use wire::frame::Payload;

use super::held::Member;

/// What is ready of all tenants.
pub(super) struct Ready<P> {
    /// A line for each tenant that has something ready, and lines that are free for the next.
    lines: Vec<Line<P>>,
    free: Vec<usize>,
    /// The lines by tenant; those who belong to nobody have an empty name.
    of: HashMap<Box<str>, usize>,
    /// Whoever has something ready, the next first.
    turns: VecDeque<usize>,
    /// How many messages whose turn it is has had of it.
    taken: usize,
    len: usize,
    /// How many messages of one tenant are a flood.
    flood: usize,
    /// How many messages a tenant has in a turn.
    turn: usize,
}

struct Line<P> {
    tenant: Box<str>,
    members: VecDeque<Member<P>>,
}

impl<P: Payload> Ready<P> {
    /// Nothing yet. A tenant has `turn` messages in a turn, and a flood from `flood` messages on.
    pub(super) fn new(flood: usize, turn: usize) -> Self {
        Self {
            lines: Vec::new(),
            free: Vec::new(),
            of: HashMap::new(),
            turns: VecDeque::new(),
            taken: 0,
            len: 0,
            flood,
            turn,
        }
    }

    /// How many messages are ready.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Behind what its tenant has ready already.
    pub(super) fn push_back(&mut self, member: Member<P>) {
        self.line(&member).push_back(member);
    }

    /// Before what its tenant has ready already.
    pub(super) fn push_front(&mut self, member: Member<P>) {
        self.line(&member).push_front(member);
    }

    /// Where a member is put, which counts from now on.
    fn line(&mut self, member: &Member<P>) -> &mut VecDeque<Member<P>> {
        self.len += 1;
        let tenant = member.payload.tenant().map_or("", TenantId::as_str);
        let line = self.of.get(tenant).copied();
        let line = line.unwrap_or_else(|| self.begin_line(tenant));
        &mut self.lines[line].members
    }

    fn begin_line(&mut self, tenant: &str) -> usize {
        let line = self.free.pop().unwrap_or_else(|| {
            self.lines.push(Line { tenant: Box::default(), members: VecDeque::new() });
            self.lines.len() - 1
        });
        self.lines[line].tenant = tenant.into();
        self.of.insert(tenant.into(), line);
        self.turns.push_back(line);
        line
    }

    /// Whether whose turn it is has a flood.
    pub(super) fn is_flood(&self) -> bool {
        self.turns.front().is_some_and(|line| self.ready_of(*line) >= self.flood)
    }

    fn ready_of(&self, line: usize) -> usize {
        self.lines[line].members.len()
    }

    /// How far the next turn is of somebody who has no flood.
    pub(super) fn first_small(&self) -> Option<usize> {
        self.turns.iter().position(|line| self.ready_of(*line) < self.flood)
    }

    /// The oldest message of whose turn it is among those who have no flood.
    pub(super) fn pop(&mut self) -> Option<Member<P>> {
        let small = self.first_small()?;
        if small > 0 {
            self.turns.rotate_left(small);
            self.taken = 0;
        }
        let member = self.pop_of_first()?;
        if self.taken >= self.turn {
            self.pass_turn();
        }
        Some(member)
    }

    /// The oldest message of whose turn it is.
    pub(super) fn pop_of_first(&mut self) -> Option<Member<P>> {
        let first = *self.turns.front()?;
        let line = &mut self.lines[first];
        let member = line.members.pop_front()?;
        self.len -= 1;

        self.taken += 1;
        if line.members.is_empty() {
            self.of.remove(&line.tenant);
            self.free.push(first);
            self.turns.pop_front();
            self.taken = 0;
        }
        Some(member)
    }

    /// The next tenant has the turn, unless it has come to it by itself.
    pub(super) fn pass_turn(&mut self) {
        if self.taken > 0 {
            self.turns.rotate_left(1);
        }
        self.taken = 0;
    }
}

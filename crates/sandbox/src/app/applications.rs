//! Bandwidth's applications: which numbers they have, and where they are called back.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The most applications there can be.
const MAX_APPLICATIONS: usize = 10_000;

/// The most orders for numbers that are remembered; older ones are forgotten first.
const MAX_ORDERS: usize = 1_000;

/// All applications, by their id, and whose each number is.
#[derive(Default)]
pub(crate) struct Applications {
    by_id: BTreeMap<Arc<str>, Application>,
    numbers: BTreeMap<Arc<str>, Arc<str>>,
    /// Numbers of accounts that have no application.
    spare: BTreeMap<Box<str>, Box<str>>,
    /// Orders for numbers, with their account and whether it got the number.
    orders: VecDeque<(Box<str>, Box<str>, bool)>,
}

/// An application. No `Debug`: it holds a secret.
pub(crate) struct Application {
    /// The account that it is of.
    pub(crate) account: Box<str>,
    pub(crate) callback_url: Arc<str>,
    /// The `Authorization` header of its callbacks; none where it was given no credentials.
    pub(crate) authorization: Option<Box<str>>,
}

impl Applications {
    /// Sets an application up, or up anew, with all of its numbers; false where there are too many.
    pub(crate) fn put(&mut self, id: &str, of: Application, numbers: &[String]) -> bool {
        if self.by_id.len() >= MAX_APPLICATIONS && !self.by_id.contains_key(id) {
            return false;
        }
        let id: Arc<str> = id.into();
        self.numbers.retain(|_, owner| *owner != id);
        for number in numbers {
            self.spare.remove(number.as_str());
            self.numbers.insert(number.as_str().into(), id.clone());
        }
        self.by_id.insert(id, of);
        true
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Application> {
        self.by_id.get(id)
    }

    /// All numbers, in the order of their digits.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.numbers.keys()
    }

    /// How many numbers there are.
    pub(crate) fn count(&self) -> usize {
        self.numbers.len() + self.spare.len()
    }

    /// Whether anybody has a number.
    pub(crate) fn has(&self, number: &str) -> bool {
        self.numbers.contains_key(number) || self.spare.contains_key(number)
    }

    /// The numbers of an account, in the order of their digits.
    pub(crate) fn numbers_of(&self, account: &str) -> Vec<String> {
        let of_account = |id: &Arc<str>| self.get(id).is_some_and(|one| *one.account == *account);
        let used = self.numbers.iter().filter(|(_, id)| of_account(id));
        let spare = self.spare.iter().filter(|(_, owner)| ***owner == *account);
        let mut all: Vec<String> = used.map(|(number, _)| number.to_string()).collect();
        all.extend(spare.map(|(number, _)| number.to_string()));
        all.sort_unstable();
        all
    }

    /// Gives an account a number, which goes to its first application.
    pub(crate) fn give(&mut self, account: &str, number: &str) {
        let mut of_account = self.by_id.iter().filter(|(_, one)| *one.account == *account);
        match of_account.next().map(|(id, _)| id.clone()) {
            Some(id) => {
                self.numbers.insert(number.into(), id);
            }
            None => {
                self.spare.insert(number.into(), account.into());
            }
        }
    }

    /// Takes a number from an account; false where it does not have it.
    pub(crate) fn take(&mut self, account: &str, number: &str) -> bool {
        if !self.numbers_of(account).iter().any(|one| one == number) {
            return false;
        }
        self.numbers.remove(number).is_some() || self.spare.remove(number).is_some()
    }

    /// Remembers an order and what came of it.
    pub(crate) fn note_order(&mut self, id: &str, account: &str, got: bool) {
        if self.orders.len() == MAX_ORDERS {
            self.orders.pop_front();
        }
        self.orders.push_back((id.into(), account.into(), got));
    }

    /// Whether an order of an account got its number; none where there is no such order.
    pub(crate) fn order(&self, id: &str, account: &str) -> Option<bool> {
        let mine =
            |(of, whose, _): &&(Box<str>, Box<str>, bool)| **of == *id && **whose == *account;
        self.orders.iter().find(mine).map(|(_, _, got)| *got)
    }

    /// The application that has a number, with both of their names.
    pub(crate) fn of_number(&self, number: &str) -> Option<(Arc<str>, Arc<str>)> {
        let (number, id) = self.numbers.get_key_value(number)?;
        Some((number.clone(), id.clone()))
    }
}

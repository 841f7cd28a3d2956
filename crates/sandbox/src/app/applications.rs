//! Bandwidth's applications: which numbers they have, and where they are called back.

use std::{collections::BTreeMap, sync::Arc};

/// The most applications there can be.
const MAX_APPLICATIONS: usize = 10_000;

/// All applications, by their id, and whose each number is.
#[derive(Default)]
pub(crate) struct Applications {
    by_id: BTreeMap<Arc<str>, Application>,
    numbers: BTreeMap<Arc<str>, Arc<str>>,
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

    /// The application that has a number, with both of their names.
    pub(crate) fn of_number(&self, number: &str) -> Option<(Arc<str>, Arc<str>)> {
        let (number, id) = self.numbers.get_key_value(number)?;
        Some((number.clone(), id.clone()))
    }
}

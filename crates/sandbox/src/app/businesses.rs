//! WhatsApp Business Accounts: their numbers and templates, where they are called back, who has
//! written to them lately, and who has stopped their marketing.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::templates::{NewTemplate, Template, TemplateEdit};
use crate::phone::Phone;

/// The most accounts there can be.
const MAX_BUSINESSES: usize = 10_000;

/// The most templates of one account.
const MAX_TEMPLATES: usize = 6_000;

/// The most people whose last message is remembered. With more, all are forgotten.
const MAX_WINDOWS: usize = 2_000_000;

/// The most people who are known to have stopped marketing. With more, all are forgotten.
const MAX_STOPS: usize = 100_000;

/// How long after a person's message free texts are taken.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// All accounts by their id, whose each number is, and when each person last wrote to a number.
#[derive(Default)]
pub(crate) struct Businesses {
    by_id: BTreeMap<Arc<str>, Business>,
    numbers: BTreeMap<Arc<str>, Arc<str>>,
    windows: HashMap<(Arc<str>, Phone), Timestamp>,
    /// Who has stopped the marketing of a number.
    without_marketing: HashSet<(Arc<str>, Phone)>,
}

/// An account. No `Debug`: it holds secrets.
pub(crate) struct Business {
    pub(crate) access_token: Box<str>,
    pub(crate) app_secret: Box<str>,
    pub(crate) callback_url: Arc<str>,
    /// Whether new templates wait for a control call that says what came of their review.
    pub(crate) reviews_by_hand: bool,
    /// By name and language.
    pub(crate) templates: BTreeMap<(Box<str>, Box<str>), Template>,
    /// How many templates it has ever had.
    pub(crate) templates_made: u64,
}

impl Businesses {
    /// Sets an account up, or up anew, with all of its numbers; its templates stay. False where
    /// there are too many.
    pub(crate) fn put(&mut self, id: &str, mut of: Business, numbers: &[String]) -> bool {
        if self.by_id.len() >= MAX_BUSINESSES && !self.by_id.contains_key(id) {
            return false;
        }

        let id: Arc<str> = id.into();
        self.numbers.retain(|_, owner| *owner != id);
        for number in numbers {
            self.numbers.insert(number.as_str().into(), id.clone());
        }
        if let Some(before) = self.by_id.remove(&id) {
            of.templates = before.templates;
            of.templates_made = before.templates_made;
        }
        self.by_id.insert(id, of);
        true
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Business> {
        self.by_id.get(id)
    }

    /// Whether some account is called with this token.
    pub(crate) fn has_token(&self, token: &str) -> bool {
        self.by_id.values().any(|of| &*of.access_token == token)
    }

    /// The ids of all numbers, in their order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &Arc<str>> {
        self.numbers.keys()
    }

    /// The ids of an account's numbers, in their order.
    pub(crate) fn numbers_of(&self, id: &str) -> impl Iterator<Item = &str> {
        self.numbers.iter().filter(move |(_, owner)| ***owner == *id).map(|(number, _)| &**number)
    }

    /// The account that has a number, with both of their names.
    pub(crate) fn of_number(&self, number: &str) -> Option<(Arc<str>, Arc<str>)> {
        let (number, id) = self.numbers.get_key_value(number)?;
        Some((number.clone(), id.clone()))
    }

    /// Adds a template, with an id of its own. `None` where the account has one of its name and
    /// language, or too many.
    pub(crate) fn add_template(
        &mut self,
        account: &str,
        new: &NewTemplate<'_>,
    ) -> Option<&Template> {
        let of = self.by_id.get_mut(account)?;
        let key = (new.name.into(), new.language.into());
        if of.templates.len() >= MAX_TEMPLATES || of.templates.contains_key(&key) {
            return None;
        }

        let id = 590_000_000_000_000 + of.templates_made;
        of.templates_made += 1;
        let status = if of.reviews_by_hand { "PENDING" } else { "APPROVED" };
        let quality = if of.reviews_by_hand { "UNKNOWN" } else { "GREEN" };
        let made = of.templates.entry(key).or_insert(Template {
            id,
            category: new.category.into(),
            status: status.into(),
            reason: "NONE".into(),
            quality: quality.into(),
            components: new.components.into(),
        });
        Some(&*made)
    }

    /// Removes templates of a name: the one of an id, or all. How many there were.
    pub(crate) fn remove_template(&mut self, account: &str, name: &str, id: Option<u64>) -> usize {
        let Some(of) = self.by_id.get_mut(account) else { return 0 };
        let before = of.templates.len();
        of.templates.retain(|(of_name, _), template| {
            &**of_name != name || id.is_some_and(|id| id != template.id)
        });
        before - of.templates.len()
    }

    /// Changes a template as a control call says; the template before and after it.
    pub(crate) fn edit_template(
        &mut self,
        account: &str,
        (name, language): (&str, &str),
        edit: TemplateEdit,
    ) -> Option<(Template, Template)> {
        let of = self.by_id.get_mut(account)?;
        let template = of.templates.get_mut(&(name.into(), language.into()))?;
        let before = template.clone();
        template.edit(edit);
        Some((before, template.clone()))
    }

    /// A person has written to a number: free texts are taken for a day.
    pub(crate) fn open_window(&mut self, number: &Arc<str>, person: Phone, at: Timestamp) {
        if self.windows.len() >= MAX_WINDOWS {
            self.windows.clear();
        }
        self.windows.insert((number.clone(), person), at);
    }

    /// A person stops the marketing of a number, or takes it up again.
    pub(crate) fn prefers(&mut self, number: &Arc<str>, person: Phone, stops: bool) {
        let key = (number.clone(), person);
        if !stops {
            self.without_marketing.remove(&key);
            return;
        }
        if self.without_marketing.len() >= MAX_STOPS {
            self.without_marketing.clear();
        }
        self.without_marketing.insert(key);
    }

    /// Whether a person takes the marketing of a number.
    pub(crate) fn takes_marketing(&self, number: &Arc<str>, person: Phone) -> bool {
        !self.without_marketing.contains(&(number.clone(), person))
    }

    /// Closes all windows, and forgets who has stopped marketing.
    pub(crate) fn forget_people(&mut self) {
        self.windows.clear();
        self.without_marketing.clear();
    }

    /// Whether a free text may go to a person now.
    pub(crate) fn is_open(&self, number: &Arc<str>, person: Phone, now: Timestamp) -> bool {
        let last = self.windows.get(&(number.clone(), person));
        last.is_some_and(|last| now.duration_since(*last) < WINDOW)
    }
}

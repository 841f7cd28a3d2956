//! Names: a public type has one of its own, positions and instants are called what they are, and
//! no carrier is named outside its crate.

use std::collections::BTreeMap;

use syn::{
    Expr, ExprClosure, ExprForLoop, ExprMethodCall, Field, FnArg, Ident, ImplItem, Item, Local,
    Pat, Type,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::tree::{Found, Source, rust};

/// Types that several modules have, each read with its module. The list may only shrink.
const SHARED_NAMES: &[&str] = &["Client"];

/// What the name of an instant ends in.
const ENDINGS: &[&str] = &["at", "until", "since", "before", "due", "start", "end"];

/// Instants that have a word of their own: the two clocks, a span as a form writes it, and terms of
/// the field.
const INSTANTS: &[&str] =
    &["now", "machine", "from", "to", "call_by", "as_of", "next_free", "next_look", "valid_from"];

#[test]
fn every_public_type_has_a_name_of_its_own() {
    let mut homes: BTreeMap<String, Vec<(String, usize)>> = BTreeMap::new();
    for file in rust().iter().filter(|file| is_product(file)) {
        for item in parsed(file).items {
            let (vis, name) = match &item {
                Item::Struct(item) => (&item.vis, &item.ident),
                Item::Enum(item) => (&item.vis, &item.ident),
                Item::Trait(item) => (&item.vis, &item.ident),
                Item::Type(item) => (&item.vis, &item.ident),
                _ => continue,
            };
            if matches!(vis, syn::Visibility::Public(_)) {
                let home = (file.path.clone(), name.span().start().line);
                homes.entry(name.to_string()).or_default().push(home);
            }
        }
    }

    let mut found = Found::default();
    for (name, homes) in &homes {
        if homes.len() > 1 && !SHARED_NAMES.contains(&name.as_str()) {
            homes.iter().for_each(|(path, line)| found.at(path, *line, name));
        }
    }
    for name in SHARED_NAMES {
        if homes.get(*name).is_none_or(|homes| homes.len() < 2) {
            found.at(file!(), line!() as usize, format!("{name} is shared no more: strike it"));
        }
    }
    found.none("A public type has a name that no other public type has.");
}

#[test]
fn positions_and_instants_are_called_what_they_are() {
    let mut found = Found::default();
    for file in rust() {
        let mut words = Words { path: &file.path, found: &mut found };
        words.visit_file(&parsed(&file));
    }
    found.none("A position is `i` or `index`; an instant ends in `_at` or has a word of the list.");
}

#[test]
fn no_stage_no_route_and_no_store_module_names_a_carrier() {
    let carriers = carrier_names();
    let mut found = Found::default();
    for file in rust() {
        let path = file.path.as_str();
        let carrier_free = ["stages/", "api/", "crates/store/"];
        let is_told = carrier_free.iter().any(|folder| path.starts_with(folder));
        if !is_told || !path.contains("/src/") || path.ends_with("_tests.rs") {
            continue;
        }
        let product = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (i, line) in product.lines().enumerate() {
            let lower = line.to_ascii_lowercase();
            if let Some(carrier) = carriers.iter().find(|carrier| lower.contains(*carrier)) {
                found.at(path, i + 1, format!("names {carrier}"));
            }
        }
    }
    found.none("What differs between carriers is asked of carriers::Carrier.");
}

/// A match that lacks a carrier does not compile; a list that lacks one would.
#[test]
fn every_carrier_is_in_the_list_of_all() {
    let listed = carriers().items.into_iter().find_map(|item| match item {
        Item::Impl(item) => item.items.into_iter().find_map(|item| match item {
            ImplItem::Const(item) if item.ident == "ALL" => Some(last_names(&item.expr)),
            _ => None,
        }),
        _ => None,
    });
    assert_eq!(listed.expect("Carrier::ALL"), carrier_names());
}

/// The carriers that there are, by the variants of the enum.
fn carrier_names() -> Vec<String> {
    let names = carriers().items.into_iter().find_map(|item| match item {
        Item::Enum(item) if item.ident == "Carrier" => {
            let names = item.variants.iter().map(|one| one.ident.to_string().to_ascii_lowercase());
            Some(names.collect::<Vec<_>>())
        }
        _ => None,
    });
    names.expect("the enum of carriers")
}

fn carriers() -> syn::File {
    let home = "crates/carriers/src/carrier.rs";
    let file = rust().into_iter().find(|file| file.path == home).expect(home);
    parsed(&file)
}

/// The last name of each path in a list, in lowercase.
fn last_names(list: &Expr) -> Vec<String> {
    let Expr::Reference(list) = list else { return Vec::new() };
    let Expr::Array(list) = list.expr.as_ref() else { return Vec::new() };
    let name = |element: &Expr| match element {
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    };
    list.elems.iter().filter_map(name).map(|name| name.to_ascii_lowercase()).collect()
}

fn is_product(file: &Source) -> bool {
    file.path.contains("/src/") && !file.path.ends_with("_tests.rs")
}

fn parsed(file: &Source) -> syn::File {
    syn::parse_file(&file.text).expect("a file that compiles")
}

/// Looks at how positions and instants are called.
struct Words<'a> {
    path: &'a str,
    found: &'a mut Found,
}

impl Words<'_> {
    fn position(&mut self, name: &Pat) {
        let first = match name {
            Pat::Tuple(parts) => parts.elems.first(),
            name => Some(name),
        };
        if let Some(Pat::Ident(name)) = first
            && name.ident == "at"
        {
            self.found.at(self.path, name.span().start().line, "a position is called `at`");
        }
    }

    fn instant(&mut self, name: &Ident, of: &Type) {
        let name_of = name.to_string();
        let ending = name_of.rsplit('_').next().unwrap_or_default();
        let is_fine = ENDINGS.contains(&ending) || INSTANTS.contains(&name_of.as_str());
        if is_instant(of) && !is_fine {
            self.found.at(
                self.path,
                name.span().start().line,
                format!("an instant is `{name_of}`"),
            );
        }
    }
}

impl<'ast> Visit<'ast> for Words<'_> {
    fn visit_expr_for_loop(&mut self, looped: &'ast ExprForLoop) {
        if counts(&looped.expr) {
            self.position(&looped.pat);
        }
        visit::visit_expr_for_loop(self, looped);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if counts(&call.receiver) {
            for argument in &call.args {
                if let Expr::Closure(ExprClosure { inputs, .. }) = argument {
                    inputs.iter().for_each(|input| self.position(input));
                }
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init
            && finds_position(&init.expr)
        {
            self.position(&local.pat);
        }
        visit::visit_local(self, local);
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if let Some(name) = &field.ident {
            self.instant(name, &field.ty);
        }
    }

    fn visit_fn_arg(&mut self, argument: &'ast FnArg) {
        if let FnArg::Typed(typed) = argument
            && let Pat::Ident(name) = typed.pat.as_ref()
        {
            self.instant(&name.ident, &typed.ty);
        }
    }
}

/// Whether an iterator gives positions with its items.
fn counts(iterator: &Expr) -> bool {
    matches!(iterator, Expr::MethodCall(call) if call.method == "enumerate")
}

fn finds_position(value: &Expr) -> bool {
    match value {
        Expr::MethodCall(call) => call.method == "position" || finds_position(&call.receiver),
        Expr::Try(tried) => finds_position(&tried.expr),
        _ => false,
    }
}

/// `Timestamp`, or an option of one.
fn is_instant(of: &Type) -> bool {
    let Type::Path(path) = of else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    match &last.arguments {
        syn::PathArguments::None => last.ident == "Timestamp",
        syn::PathArguments::AngleBracketed(inner) if last.ident == "Option" => inner
            .args
            .iter()
            .any(|one| matches!(one, syn::GenericArgument::Type(one) if is_instant(one))),
        _ => false,
    }
}

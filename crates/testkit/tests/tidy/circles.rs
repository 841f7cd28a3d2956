//! Which file uses which: no two need each other, however long the way round.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    File, Item, ItemUse, Path, UseTree, Visibility,
    visit::{self, Visit},
};

use super::tree::{Found, rust};

/// A module by its path in its crate; the root is empty.
type Module = Vec<String>;

/// The modules of one crate, each with what it says.
#[derive(Default)]
struct Crate {
    /// The file of each module.
    files: BTreeMap<Module, String>,
    /// Names that a module passes on: what they stand for.
    passed_on: BTreeMap<Module, Module>,
    /// What each module names, in full.
    named: BTreeMap<Module, BTreeSet<Module>>,
}

#[test]
fn no_file_needs_a_file_that_needs_it() {
    let mut found = Found::default();
    for (_, of_crate) in crates() {
        for (module, path) in &of_crate.files {
            let way = way_round(&of_crate, module);
            // A circle is told once, by its first file.
            if let Some(way) = way.filter(|way| way.iter().min() == Some(module)) {
                let files: Vec<&str> = way.iter().map(|on| of_crate.files[on].as_str()).collect();
                found.at(path, 1, format!("needs itself by way of {}", files.join(" -> ")));
            }
        }
    }
    found.none("Between files, use goes one way: move what both need into a file of its own.");
}

/// Every crate of ours, by the folder of its source.
fn crates() -> BTreeMap<String, Crate> {
    let mut crates: BTreeMap<String, Crate> = BTreeMap::new();
    let mut parsed = Vec::new();
    for file in rust() {
        let Some((folder, inside)) = file.path.split_once("/src/") else { continue };
        let module = module_of(inside);
        let of_crate = crates.entry(folder.to_owned()).or_default();
        of_crate.files.insert(module.clone(), file.path.clone());
        let syntax = syn::parse_file(&file.text).expect("a file that compiles");
        parsed.push((folder.to_owned(), module, syntax));
    }

    // What a path means depends on which modules there are.
    for (folder, module, syntax) in parsed {
        let of_crate = crates.get_mut(&folder).expect("entered above");
        read(of_crate, &module, &syntax);
    }
    crates
}

fn module_of(inside: &str) -> Module {
    match inside.trim_end_matches(".rs") {
        "lib" | "main" => Module::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

fn read(of_crate: &mut Crate, module: &Module, syntax: &File) {
    let mut names = Names { files: &of_crate.files, module, found: Vec::new() };
    names.visit_file(syntax);
    let Names { found, .. } = names;
    for Name { path, passed_on_as } in found {
        match passed_on_as {
            Some(name) => {
                let known_as = module.iter().cloned().chain([name]).collect();
                of_crate.passed_on.insert(known_as, path);
            }
            None => {
                of_crate.named.entry(module.clone()).or_default().insert(path);
            }
        }
    }
}

/// Something of the same crate that a module names.
struct Name {
    path: Module,
    /// The name under which the module passes it on, if it does.
    passed_on_as: Option<String>,
}

/// Collects what a module names; what is for tests alone does not count.
struct Names<'a> {
    files: &'a BTreeMap<Module, String>,
    module: &'a Module,
    found: Vec<Name>,
}

impl Names<'_> {
    /// The full path of what is named, if it is of this crate.
    fn in_full(&self, segments: &[String]) -> Option<Module> {
        let (first, rest) = segments.split_first()?;
        let mut path = self.module.clone();
        match first.as_str() {
            "crate" => path.clear(),
            "self" => {}
            "super" => drop(path.pop()?),
            child => {
                path.push(child.to_owned());
                if !self.files.contains_key(&path) {
                    return None;
                }
            }
        }
        for segment in rest {
            match segment.as_str() {
                "super" => drop(path.pop()?),
                "self" => {}
                name => path.push(name.to_owned()),
            }
        }
        Some(path)
    }

    fn add(&mut self, segments: &[String], passed_on_as: Option<String>) {
        if let Some(path) = self.in_full(segments) {
            self.found.push(Name { path, passed_on_as });
        }
    }

    fn add_tree(&mut self, tree: &UseTree, before: &[String], passes_on: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&path.tree, &with(&path.ident), passes_on),
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.add_tree(item, before, passes_on));
            }
            UseTree::Name(name) => {
                let own = before.last().filter(|_| name.ident == "self").cloned();
                let known_as = own.unwrap_or_else(|| name.ident.to_string());
                self.add(&with(&name.ident), passes_on.then_some(known_as));
            }
            UseTree::Rename(rename) => {
                let known_as = passes_on.then(|| rename.rename.to_string());
                self.add(&with(&rename.ident), known_as);
            }
            UseTree::Glob(_) => self.add(before, None),
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let passes_on = !matches!(item.vis, Visibility::Inherited);
        self.add_tree(&item.tree, &[], passes_on);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if segments.len() > 1 {
            self.add(&segments, None);
        }
        visit::visit_path(self, path);
    }
}

fn is_for_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Path>().is_ok_and(|only| only.is_ident("test"))
    })
}

impl Crate {
    /// The module that declares what a path names, through whoever passes it on.
    fn home(&self, path: &[String]) -> Module {
        for length in 1..=path.len() {
            // A function may have the name of the module that it is passed on from.
            let is_module = self.files.contains_key(&path[..length]);
            if !is_module && let Some(stands_for) = self.passed_on.get(&path[..length]) {
                let path: Module = stands_for.iter().chain(&path[length..]).cloned().collect();
                return self.home(&path);
            }
        }
        let is_module = |length: &usize| self.files.contains_key(&path[..*length]);
        let longest = (0..=path.len()).rev().find(is_module).unwrap_or_default();
        path[..longest].to_vec()
    }

    fn needs(&self, module: &Module) -> BTreeSet<Module> {
        let named = self.named.get(module).into_iter().flatten();
        named.map(|path| self.home(path)).filter(|home| home != module).collect()
    }
}

/// The shortest way from a module back to itself.
fn way_round(of_crate: &Crate, start: &Module) -> Option<Vec<Module>> {
    let mut ways = std::collections::VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let last = way.last().expect("a way has a start");
        for next in of_crate.needs(last) {
            if next == *start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                ways.push_back([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

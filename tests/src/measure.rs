//! Source measurements: how long are functions, what do they take, and which words do they print?
//!
//! [`read`] measures one file by its syntax tree; [`modules`] looks at how the modules of a crate
//! depend on one another. The limits themselves are in the test `tidy`.

pub mod modules;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// The declarations and imports of one file.
#[derive(Debug, Default)]
pub struct Source {
    /// The path in the repository.
    pub path: String,
    /// Lines before the module of unit tests.
    pub lines: usize,
    /// Lines of the module of unit tests.
    pub test_lines: usize,
    /// Its functions, those of its unit tests included.
    pub functions: Vec<Function>,
    /// The names of its structs, enums, unions, traits and type aliases.
    pub types: Vec<String>,
    /// The paths that its code names, as written: imports, and paths in expressions and types.
    pub paths: Vec<Vec<String>>,
    /// Its string literals outside of unit tests: messages, help texts, names.
    pub literals: Vec<Literal>,
}

/// A function.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, after that of its type if it has one: `Store::open`.
    pub name: String,
    /// Its first line.
    pub line: usize,
    /// Lines from its signature to its closing brace.
    pub lines: usize,
    /// Its parameters, with `self` and with tuples unpacked; 0 if a trait prescribes them.
    pub parameters: usize,
    /// Whether it is visible outside of its module and takes a `bool`.
    pub takes_bool: bool,
    /// Whether it is a test.
    pub is_test: bool,
}

/// A string literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// Its line.
    pub line: usize,
    /// Its value.
    pub text: String,
}

/// Measures one file.
///
/// # Panics
///
/// If it is not Rust.
#[must_use]
pub fn read(path: &str, text: &str) -> Source {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("`{path}`: {error}"));
    let all = text.lines().count();
    let is_code = |line: &&str| !line.starts_with("#[cfg(test)]");
    let lines = text.lines().take_while(is_code).count();
    let source = Source {
        path: path.to_owned(),
        lines,
        test_lines: all - lines,
        ..Source::default()
    };
    let mut reader = Reader {
        source,
        ..Reader::default()
    };
    reader.visit_file(&file);
    reader.source
}

#[derive(Default)]
struct Reader {
    source: Source,
    /// In unit tests, whose names and imports do not count.
    in_tests: bool,
    /// In the implementation of a trait, which prescribes signatures.
    in_trait_impl: bool,
    /// The type whose methods follow.
    owner: Option<String>,
}

impl Reader {
    fn declare(&mut self, name: &syn::Ident) {
        if !self.in_tests {
            self.source.types.push(name.to_string());
        }
    }

    fn function(&mut self, item: &Item<'_>) {
        let line = item.signature.span().start().line;
        let is_public = !matches!(item.visibility, syn::Visibility::Inherited);
        let types = item
            .signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                syn::FnArg::Receiver(_) => None,
                syn::FnArg::Typed(typed) => Some(&*typed.ty),
            });
        let receivers = item.signature.inputs.len() - types.clone().count();
        let parameters = receivers + types.clone().map(elements).sum::<usize>();
        let own = item.signature.ident.to_string();
        self.source.functions.push(Function {
            name: match &self.owner {
                Some(owner) => format!("{owner}::{own}"),
                None => own,
            },
            line,
            lines: item.end + 1 - line,
            parameters: if self.in_trait_impl { 0 } else { parameters },
            takes_bool: is_public && !self.in_trait_impl && types.clone().any(is_bool),
            is_test: item.attributes.iter().any(is_test),
        });
    }

    fn import(&mut self, tree: &syn::UseTree, before: &[String]) {
        let mut path = before.to_vec();
        match tree {
            syn::UseTree::Path(next) => {
                path.push(next.ident.to_string());
                self.import(&next.tree, &path);
            }
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                path.push(ident.to_string());
                self.source.paths.push(path);
            }
            syn::UseTree::Glob(_) => self.source.paths.push(path),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(tree, &path));
            }
        }
    }

    /// Collects the literals of a macro or an attribute, whose tokens are not parsed.
    fn tokens(&mut self, tokens: &TokenStream) {
        if self.in_tests {
            return;
        }
        for token in tokens.clone() {
            match token {
                TokenTree::Group(group) => self.tokens(&group.stream()),
                TokenTree::Literal(literal) => {
                    if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                        self.visit_lit_str(&text);
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

/// The parts of a function that are measured.
struct Item<'ast> {
    attributes: &'ast [syn::Attribute],
    visibility: &'ast syn::Visibility,
    signature: &'ast syn::Signature,
    end: usize,
}

fn elements(of: &syn::Type) -> usize {
    match of {
        syn::Type::Tuple(tuple) => tuple.elems.len().max(1),
        _ => 1,
    }
}

fn is_bool(of: &syn::Type) -> bool {
    matches!(of, syn::Type::Path(path) if path.path.is_ident("bool"))
}

fn is_test(attribute: &syn::Attribute) -> bool {
    let last = attribute.path().segments.last();
    last.is_some_and(|segment| segment.ident == "test")
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && names(&list.tokens, "test"),
        _ => is_test(attribute),
    })
}

fn names(tokens: &TokenStream, word: &str) -> bool {
    tokens
        .to_string()
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|token| token == word)
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let before = self.in_tests;
        self.in_tests |= is_for_tests(&module.attrs);
        visit::visit_item_mod(self, module);
        self.in_tests = before;
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.declare(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.declare(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
        self.declare(&item.ident);
        visit::visit_item_union(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.declare(&item.ident);
        let before = self.owner.replace(item.ident.to_string());
        visit::visit_item_trait(self, item);
        self.owner = before;
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.declare(&item.ident);
        visit::visit_item_type(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let before = (
            self.in_trait_impl,
            std::mem::replace(&mut self.owner, owner),
        );
        self.in_trait_impl = item.trait_.is_some();
        visit::visit_item_impl(self, item);
        (self.in_trait_impl, self.owner) = before;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let before = (self.in_tests, self.in_trait_impl, self.owner.take());
        self.in_trait_impl = false;
        self.function(&Item {
            attributes: &item.attrs,
            visibility: &item.vis,
            signature: &item.sig,
            end: item.block.span().end().line,
        });
        self.in_tests |= is_for_tests(&item.attrs);
        visit::visit_item_fn(self, item);
        (self.in_tests, self.in_trait_impl, self.owner) = before;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&Item {
            attributes: &item.attrs,
            visibility: &item.vis,
            signature: &item.sig,
            end: item.block.span().end().line,
        });
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&Item {
            attributes: &item.attrs,
            visibility: &syn::Visibility::Inherited,
            signature: &item.sig,
            end: item.span().end().line,
        });
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A re-export names what others reach through this module; the module does not use it.
        let is_import = matches!(item.vis, syn::Visibility::Inherited);
        if !self.in_tests && !is_for_tests(&item.attrs) && is_import {
            self.import(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if !self.in_tests && path.segments.len() > 1 {
            let names = path.segments.iter().map(|part| part.ident.to_string());
            self.source.paths.push(names.collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        if !self.in_tests {
            self.source.literals.push(Literal {
                line: literal.span().start().line,
                text: literal.value(),
            });
        }
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.tokens(&called.tokens);
        visit::visit_macro(self, called);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        // Comments are read as text.
        if attribute.path().is_ident("doc") {
            return;
        }
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(&list.tokens);
        }
        visit::visit_attribute(self, attribute);
    }
}

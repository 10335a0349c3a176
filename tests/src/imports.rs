//! Host call generator: which host functions can a program import, and how does it call one of them
//! in an endless loop?
//!
//! The list comes from the WIT world of the standard adapter, so an import that is added to it is
//! tested automatically.

use std::fmt::Write as _;
use wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as ADAPTER;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{Function, Handle, Resolve, Type, TypeDefKind, WorldId, WorldItem};

/// The memory layout of the program: results, handles, text, bytes, and the host's allocations.
const RESULT: u32 = 64;
const SETUP: u32 = 1024;
const HANDLES: u32 = 4096;
const PATH: u32 = 131_072;
const NAME: u32 = 196_608;
const BYTES: u32 = 1 << 20;
const HEAP: u32 = 5 << 20;
const HEAP_END: u32 = 8 << 20;
const PAGES: u32 = 128;

/// Pollables in one `poll`.
const POLLED: u32 = 4096;

/// Bytes of a path that is slow to resolve: 500 dots and a name.
const PATH_LENGTH: usize = 1001;

/// Bytes that one call of a program may pass, and a little less.
const MUCH: u32 = (4 << 20) - 4096;

/// The imports of a WASI 0.2 program.
pub struct Imports {
    resolve: Resolve,
    world: WorldId,
}

/// One host function.
#[derive(Clone, Debug)]
pub struct Import {
    /// The interface, with its version.
    pub interface: String,
    /// Its name in the interface.
    pub function: String,
    definition: Function,
}

/// The size of the arguments that a program passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Valid and slow.
    Long,
    /// As many bytes as the engine accepts, valid or not.
    Huge,
}

impl Imports {
    /// Parses the world.
    ///
    /// # Panics
    ///
    /// If the adapter has no world.
    #[must_use]
    pub fn all() -> Self {
        let (_, bindgen) =
            wit_component::metadata::decode(ADAPTER).expect("the adapter describes its world");
        Self {
            resolve: bindgen.resolve,
            world: bindgen.world,
        }
    }

    /// Returns every function, except those that only drop a handle: the programs call these for
    /// the handles that they get.
    ///
    /// # Panics
    ///
    /// If the world imports anything but interfaces.
    #[must_use]
    pub fn functions(&self) -> Vec<Import> {
        let world = self
            .resolve
            .worlds
            .get(self.world)
            .expect("the world is there");
        let mut found = Vec::new();
        for (key, item) in &world.imports {
            let WorldItem::Interface { id, .. } = item else {
                continue;
            };
            let interface = self.resolve.name_world_key(key);
            for definition in self.resolve.interfaces[*id].functions.values() {
                found.push(Import {
                    interface: interface.clone(),
                    function: definition.name.clone(),
                    definition: definition.clone(),
                });
            }
        }
        found
    }

    /// Builds a component that calls `import` in an endless loop.
    ///
    /// # Panics
    ///
    /// If no such component can be made.
    #[must_use]
    pub fn endless(&self, import: &Import, size: Size) -> Vec<u8> {
        let text = self.module(import, size);
        let mut module = wat::parse_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}\n{text}", import.function));
        wit_component::embed_component_metadata(
            &mut module,
            &self.resolve,
            self.world,
            StringEncoding::UTF8,
        )
        .expect("it is a world");
        let encoded = ComponentEncoder::default()
            .module(&module)
            .and_then(|mut encoder| encoder.encode());
        encoded.unwrap_or_else(|error| panic!("{}: {error:#}\n{text}", import.function))
    }

    fn named(&self, interface: &str, function: &str) -> Import {
        let all = self.functions();
        let found = all.into_iter().find(|import| {
            import.interface.starts_with(&format!("{interface}@")) && import.function == function
        });
        found.unwrap_or_else(|| panic!("there is no {interface}#{function}"))
    }

    fn declared(&self, id: &str, import: &Import) -> String {
        let signature = self
            .resolve
            .wasm_signature(AbiVariant::GuestImport, &import.definition);
        let (parameters, results) = (types(&signature.params), types(&signature.results));
        let (interface, function) = (&import.interface, &import.function);
        format!(
            "(import \"{interface}\" \"{function}\" (func ${id} (param{parameters}) (result{results})))\n"
        )
    }

    fn module(&self, import: &Import, size: Size) -> String {
        let mut text = String::from("(module\n");
        let setup = [
            ("directories", "wasi:filesystem/preopens", "get-directories"),
            (
                "open",
                "wasi:filesystem/types",
                "[method]descriptor.open-at",
            ),
            (
                "listing",
                "wasi:filesystem/types",
                "[method]descriptor.read-directory",
            ),
            (
                "input",
                "wasi:filesystem/types",
                "[method]descriptor.read-via-stream",
            ),
            (
                "output",
                "wasi:filesystem/types",
                "[method]descriptor.write-via-stream",
            ),
            ("sleep", "wasi:clocks/monotonic-clock", "subscribe-duration"),
            (
                "network",
                "wasi:sockets/instance-network",
                "instance-network",
            ),
        ];
        for (id, interface, function) in setup {
            text += &self.declared(id, &self.named(interface, function));
        }
        text += &self.declared("call", import);
        let streams = self.named(
            "wasi:filesystem/types",
            "[method]descriptor.read-via-stream",
        );
        let dropped = self.result_handle(&import.definition);
        if let Some((interface, resource, _)) = &dropped {
            let _ = writeln!(
                text,
                "(import \"{interface}\" \"[resource-drop]{resource}\" (func $drop (param i32)))"
            );
        }
        let run = streams
            .interface
            .replace("wasi:filesystem/types", "wasi:cli/run");
        text += &preparation(&run);
        let arguments = self.arguments(import, size);
        let has_results = !self.signature(import).results.is_empty();
        let after = match (&dropped, !has_results) {
            (Some((_, _, None)), false) => "call $drop".to_owned(),
            (Some((_, _, Some(offset))), _) => {
                format!(
                    "(if (i32.eqz (i32.load8_u (i32.const {RESULT}))) (then (call $drop (i32.load offset={offset} (i32.const {RESULT})))))"
                )
            }
            (_, false) => "drop".to_owned(),
            (_, true) => String::new(),
        };
        let _ = writeln!(
            text,
            "(loop $again (call $call {arguments}) {after} (br $again)) (unreachable)))"
        );
        text
    }

    /// The arguments of a call.
    fn arguments(&self, import: &Import, size: Size) -> String {
        let signature = self.signature(import);
        let mut arguments = String::new();
        if signature.indirect_params {
            let _ = write!(arguments, "(i32.const {BYTES})");
        } else {
            for parameter in &import.definition.params {
                self.argument(&mut arguments, import, &parameter.ty, size);
            }
        }
        if signature.retptr {
            let _ = write!(arguments, "(i32.const {RESULT})");
        }
        arguments
    }

    /// The signature of an import as WebAssembly sees it.
    fn signature(&self, import: &Import) -> WasmSignature {
        self.resolve
            .wasm_signature(AbiVariant::GuestImport, &import.definition)
    }

    /// Returns the handle in a result: its interface, the resource, and its offset in memory.
    fn result_handle(&self, function: &Function) -> Option<(String, String, Option<u32>)> {
        let result = function.result?;
        if let Some((interface, resource)) = self.owned(&result) {
            return Some((interface, resource, None));
        }
        let Type::Id(id) = result else { return None };
        match &self.resolve.types.get(id)?.kind {
            TypeDefKind::Result(result) => {
                let (interface, resource) = self.owned(&result.ok?)?;
                Some((interface, resource, Some(4)))
            }
            _ => None,
        }
    }

    fn owned(&self, ty: &Type) -> Option<(String, String)> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types.get(*id)?.kind {
            TypeDefKind::Type(other) => self.owned(other),
            TypeDefKind::Handle(Handle::Own(resource)) => {
                let mut resource = self.resolve.types.get(*resource)?;
                while let TypeDefKind::Type(Type::Id(other)) = resource.kind {
                    resource = self.resolve.types.get(other)?;
                }
                let wit_parser::TypeOwner::Interface(interface) = resource.owner else {
                    return None;
                };
                Some((self.resolve.id_of(interface)?, resource.name.clone()?))
            }
            _ => None,
        }
    }

    fn argument(&self, text: &mut String, import: &Import, ty: &Type, size: Size) {
        let much = if size == Size::Huge { MUCH } else { 65_536 };
        let _ = match ty {
            Type::String if size == Size::Huge => {
                write!(text, "(i32.const {BYTES}) (i32.const {MUCH})")
            }
            Type::String => write!(text, "(i32.const {PATH}) (i32.const {PATH_LENGTH})"),
            Type::U64 | Type::S64 if import.function.contains("zeroes") => {
                write!(text, "(i64.const 4096)")
            }
            Type::U64 | Type::S64 if import.function.ends_with("subscribe-duration") => {
                write!(text, "(i64.const 0)")
            }
            // A length of 0 and an offset of 0: an empty file is read at its end, an existing file
            // from its start.
            Type::U64 | Type::S64 if text.contains("i64.const") => write!(text, "(i64.const 0)"),
            Type::U64 | Type::S64 => write!(text, "(i64.const 1048576)"),
            Type::F32 => write!(text, "(f32.const 0)"),
            Type::F64 => write!(text, "(f64.const 0)"),
            Type::Id(id) => {
                let kind = &self.resolve.types[*id].kind;
                match kind {
                    TypeDefKind::Type(other) => return self.argument(text, import, other, size),
                    TypeDefKind::Handle(Handle::Own(resource) | Handle::Borrow(resource)) => {
                        let name = self.resolve.types[*resource]
                            .name
                            .clone()
                            .unwrap_or_default();
                        match name.as_str() {
                            "descriptor"
                                if import.function.contains("-at")
                                    || import.function.ends_with("read-directory") =>
                            {
                                write!(text, "(local.get $directory)")
                            }
                            "descriptor" => write!(text, "(local.get $file)"),
                            "directory-entry-stream" => write!(text, "(local.get $listing)"),
                            "input-stream" => write!(text, "(local.get $input)"),
                            "output-stream" => write!(text, "(local.get $output)"),
                            "pollable" => write!(text, "(local.get $pollable)"),
                            "network" => write!(text, "(local.get $network)"),
                            _ => write!(text, "(i32.const 0)"),
                        }
                    }
                    TypeDefKind::List(Type::U8) if import.function.contains("blocking") => {
                        write!(
                            text,
                            "(i32.const {BYTES}) (i32.const {})",
                            if size == Size::Huge { MUCH } else { 4096 }
                        )
                    }
                    TypeDefKind::List(Type::U8) => {
                        write!(text, "(i32.const {BYTES}) (i32.const {much})")
                    }
                    TypeDefKind::List(_) => {
                        write!(text, "(i32.const {HANDLES}) (i32.const {POLLED})")
                    }
                    _ => {
                        let mut storage = [WasmType::I32; 16];
                        let mut flat = wit_parser::abi::FlatTypes::new(&mut storage);
                        self.resolve.push_flat(ty, &mut flat);
                        for kind in flat.to_vec() {
                            let _ = write!(text, "({}.const 0)", name(kind));
                        }
                        Ok(())
                    }
                }
            }
            _ => write!(text, "(i32.const 0)"),
        };
    }
}

fn name(kind: WasmType) -> &'static str {
    match kind {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        _ => "i32",
    }
}

fn types(kinds: &[WasmType]) -> String {
    kinds
        .iter()
        .fold(String::new(), |text, kind| text + " " + name(*kind))
}

/// The memory of a module, its allocator, and the beginning of its `run`: a handle of each kind.
fn preparation(run: &str) -> String {
    let path = "./".repeat(PATH_LENGTH / 2) + "f";
    format!(
            "(memory (export \"memory\") {PAGES}) (data (i32.const {PATH}) \"{path}\") (data (i32.const {NAME}) \"f\")
             (global $next (mut i32) (i32.const {HEAP}))
             (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) (local $given i32)
               (if (i32.gt_u (i32.add (global.get $next) (local.get 3)) (i32.const {HEAP_END})) (then (global.set $next (i32.const {HEAP}))))
               (local.set $given (global.get $next))
               (global.set $next (i32.and (i32.add (i32.add (local.get $given) (local.get 3)) (i32.const 7)) (i32.const -8)))
               (local.get $given))
             (func (export \"{run}#run\") (result i32)
               (local $directory i32) (local $file i32) (local $listing i32) (local $input i32) (local $output i32) (local $pollable i32)
               (local $network i32) (local $i i32)
               (call $directories (i32.const {SETUP}))
               (local.set $directory (i32.load (i32.load (i32.const {SETUP}))))
               (call $open (local.get $directory) (i32.const 0) (i32.const {NAME}) (i32.const 1) (i32.const 1) (i32.const 3) (i32.const {SETUP}))
               (local.set $file (i32.load offset=4 (i32.const {SETUP})))
               (call $listing (local.get $directory) (i32.const {SETUP}))
               (local.set $listing (i32.load offset=4 (i32.const {SETUP})))
               (call $input (local.get $file) (i64.const 0) (i32.const {SETUP}))
               (local.set $input (i32.load offset=4 (i32.const {SETUP})))
               (call $output (local.get $file) (i64.const 0) (i32.const {SETUP}))
               (local.set $output (i32.load offset=4 (i32.const {SETUP})))
               (local.set $pollable (call $sleep (i64.const 0)))
               (local.set $network (call $network))
               (loop $fill
                 (i32.store (i32.add (i32.const {HANDLES}) (i32.shl (local.get $i) (i32.const 2))) (local.get $pollable))
                 (local.set $i (i32.add (local.get $i) (i32.const 1)))
                 (br_if $fill (i32.lt_u (local.get $i) (i32.const {POLLED}))))"
        ) + "\n"
}

//! Programs of the kind that models write: do they print what they print natively?

mod python {
    include!(concat!(env!("OUT_DIR"), "/programs_python.rs"));
}

mod javascript {
    include!(concat!(env!("OUT_DIR"), "/programs_javascript.rs"));
}

mod typescript {
    include!(concat!(env!("OUT_DIR"), "/programs_typescript.rs"));
}

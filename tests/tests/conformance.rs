//! Do everyday programs do what they do elsewhere?

mod python {
    include!(concat!(env!("OUT_DIR"), "/conformance_python.rs"));
}

mod javascript {
    include!(concat!(env!("OUT_DIR"), "/conformance_javascript.rs"));
}

mod typescript {
    include!(concat!(env!("OUT_DIR"), "/conformance_typescript.rs"));
}

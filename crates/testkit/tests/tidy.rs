//! The architecture test: the rules of the house that a compiler does not keep. One test for each
//! rule; what breaks it is listed as `file:line: what`.

mod tidy {
    mod adding;
    mod arrows;
    mod cards;
    mod circles;
    mod dependencies;
    mod docs;
    mod house;
    mod metrics;
    mod migrations;
    mod names;
    mod shape;
    mod tree;
}

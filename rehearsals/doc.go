// Package rehearsals holds the rehearsals of the shipped rulebooks, as data:
// the ordinary run of each procedure and the cases that have caused trouble.
// They are in the language of package rehearsal, which `omov rehearse` runs;
// the test of this package runs them all. It decides nothing, and holds no
// code besides.
package rehearsals

// Package count decides who is elected, or what is carried, from the papers of
// a contest and the method that its rulebook names, and writes down how: a
// count sheet from which every stage can be followed by hand.
//
// It never reads a file, a clock or a source of randomness, never touches a
// binary floating-point number, and never breaks a tie that the method's own
// text does not break: then it either has the seed of a committed lot or it
// refuses with a *TieError that says what has to be drawn.
//
// # Amounts
//
// A paper bears a whole number of votes, or a fraction with one denominator
// for all the papers of a section (Papers.Denominator). Methods whose text
// rounds (Scottish STV, the PRF rules, ERS97, Meek) count in checked
// whole numbers of the last decimal place; all others count exactly. Amounts on a
// sheet are strings: "1234", "1234.56000" (as many places as the rule has) or
// "1234/7".
//
// # Sources
//
// Each method names the text it follows in its entry of [Methods] and above
// its code; docs/methods has a page a method with a worked example and where
// programs are known to disagree.
//
// # The count sheet as JSON
//
//	{"method":"av","source":"…","seats":1,"candidates":["Ann","Ben","Cy"],
//	 "valid":9,"invalid":1,"quota":"5",
//	 "stages":[{"n":1,"action":"first preferences",
//	    "votes":{"Ann":"4","Ben":"3","Cy":"2"},"non_transferable":"0",
//	    "elected":[],"excluded":["Cy"],"ties":[],"note":"Cy has the fewest votes"}],
//	 "elected":["Ann"]}
//
// Votes stand in the order of the candidates. valid and invalid are numbers
// of votes, written as numbers where whole and as a string "7/2" otherwise.
package count

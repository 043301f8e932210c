package sealing

import "github.com/omov/omov/proceeding"

// Said is what an entry of a board says, as a sentence for people; empty for
// kinds that are not of a board.
func Said(kind string) string {
	switch kind {
	case proceeding.KindTrustees:
		return "It is named who holds the keys of sealed ballots."
	case proceeding.KindPrepared:
		return "The paper of the sealed ballot is fixed."
	case proceeding.KindMessage:
		return "A trustee does a part of making the key."
	case proceeding.KindPhase:
		return "The making of the key goes on without those who did not answer."
	case proceeding.KindKeyed:
		return "The trustees' key is made."
	case proceeding.KindListed:
		return "The list of credentials is published."
	case proceeding.KindRelisted:
		return "Codes that were lost are replaced."
	case proceeding.KindSealedPaper:
		return "A sealed paper."
	case proceeding.KindClosing:
		return "What came up to the close is fixed."
	case proceeding.KindExcused:
		return "A mixer who does not answer is excused."
	case proceeding.KindPart:
		return "A part of what a trustee contributes."
	case proceeding.KindDeed:
		return "A trustee witnesses the close, mixes, or opens their part."
	}
	return ""
}

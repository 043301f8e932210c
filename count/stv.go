package count

// stvMethods lists the methods of the single transferable vote.
func stvMethods() []Method {
	return []Method{
		{ID: "scottish-stv", Name: "Scottish STV", Kind: Ranked, Many: true, Source: "SSI 2007/42, schedule 1, rules 45–52",
			Gaps: Stop, Repeats: Stop, Equals: Stop, count: countScottish},
		{ID: "wigm-prf", Name: "Weighted inclusive Gregory (PRF)", Kind: Ranked, Many: true, Source: "Proportional Representation Foundation, Reference WIGM Rule",
			Gaps: Skip, Repeats: Skip, Equals: Stop, count: countWIGM},
		{ID: "ers97", Name: "ERS97", Kind: Ranked, Many: true, Source: "Electoral Reform Society, How to Conduct an Election by the Single Transferable Vote, 1997, 5.1–5.6",
			Gaps: Stop, Repeats: Stop, Equals: Stop, count: countERS97},
		{ID: "meek-prf", Name: "Meek (PRF)", Kind: Ranked, Many: true, Source: "Proportional Representation Foundation, Reference Meek Rule",
			Gaps: Skip, Repeats: Skip, Equals: Share, Equal: true, count: countMeekPRF},
		{ID: "meek", Name: "Meek (nine places, cut)", Kind: Ranked, Many: true, Source: "Hill, Wichmann and Woodall, Computer Journal 30 (1987), with nine places",
			Gaps: Skip, Repeats: Skip, Equals: Share, Equal: true, count: countMeek9},
		{ID: "meek-nz", Name: "Meek (New Zealand)", Kind: Ranked, Many: true, Source: "New Zealand, Local Electoral Regulations 2001, schedule 1A",
			Gaps: Stop, Repeats: Stop, Equals: Stop, count: countMeekNZ},
	}
}

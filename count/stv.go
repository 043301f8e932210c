package count

// stvMethods lists the methods of the single transferable vote.
func stvMethods() []Method {
	return []Method{
		{ID: "scottish-stv", Name: "Scottish STV", Kind: Ranked, Many: true, Source: "SSI 2007/42, schedule 1, rules 45–52",
			Gaps: Stop, Repeats: Stop, Equals: Stop, count: countScottish},
		{ID: "wigm-prf", Name: "Weighted inclusive Gregory (PRF)", Kind: Ranked, Many: true, Source: "Proportional Representation Foundation, Reference WIGM Rule",
			Gaps: Skip, Repeats: Skip, Equals: Stop, count: countWIGM},
	}
}

func pairMethods() []Method { return nil }

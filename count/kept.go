package count

// QuotasKept tells whether some of the candidates fill the seats within the
// quotas on the result. The error says which cannot be kept, or that there are
// too many ways to look through; then an election by the method could not be
// counted.
func QuotasKept(c Contest) error {
	all := make([]int, len(c.Candidates))
	for i := range all {
		all[i] = i
	}
	return newGuard(&c).update(all, nil)
}

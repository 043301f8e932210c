package keygen

// CommitmentHash lets tests commit to what is not theirs.
func CommitmentHash(manifest [32]byte, from int, salt, coefficients []byte) []byte {
	return commitmentHash(manifest, from, salt, coefficients)
}

package store

import (
	"context"
	"slices"
)

// KeysOf gives the keys of those of the people who have one; a key that has
// been destroyed is not drawn again. Where the people's numbers lie close
// together, as in a part of an import, it reads, and gives, all keys between.
func (k *Keys) KeysOf(ctx context.Context, people []int64) (map[int64]Key, error) {
	keys := make(map[int64]Key, len(people))
	if len(people) == 0 {
		return keys, nil
	}
	keep := func(r row) error {
		var key Key
		if copy(key[:], r.blob(1)) == len(key) {
			keys[r.int(0)] = key
		}
		return nil
	}
	first, last := slices.Min(people), slices.Max(people)
	err := k.with(ctx, func(c conn) error {
		if last-first < 4*int64(len(people)) {
			return c.query(ctx, `SELECT person, key FROM person_key WHERE person >= $1 AND person <= $2`, keep, first, last)
		}
		for _, p := range people {
			if err := c.query(ctx, `SELECT person, key FROM person_key WHERE person = $1`, keep, p); err != nil {
				return err
			}
		}
		return nil
	})
	return keys, err
}

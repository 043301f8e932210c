package store

import "context"

// KeysOf gives the keys of those of the people who have one; a key that has
// been destroyed is not drawn again.
func (k *Keys) KeysOf(ctx context.Context, people []int64) (map[int64]Key, error) {
	keys := make(map[int64]Key, len(people))
	err := k.with(ctx, func(c conn) error {
		for _, p := range people {
			err := c.query(ctx, `SELECT key FROM person_key WHERE person = $1`, func(r row) error {
				var key Key
				if copy(key[:], r.blob(0)) == len(key) {
					keys[p] = key
				}
				return nil
			}, p)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return keys, err
}

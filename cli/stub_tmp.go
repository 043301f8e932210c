package cli

import "context"

type NewCmd struct{}
func (c *NewCmd) Run(ctx context.Context, s *Streams) error { return nil }
type RegisterCmd struct{}
func (c *RegisterCmd) Run(ctx context.Context, s *Streams) error { return nil }
type VerifyCmd struct{}
func (c *VerifyCmd) Run(ctx context.Context, s *Streams) error { return nil }
type BundleCmd struct{}
func (c *BundleCmd) Run(ctx context.Context, s *Streams) error { return nil }
type ReplayCmd struct{}
func (c *ReplayCmd) Run(ctx context.Context, s *Streams) error { return nil }
type BoxCmd struct{}
func (c *BoxCmd) Run(ctx context.Context, s *Streams) error { return nil }

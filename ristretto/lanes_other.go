//go:build !amd64 || purego

package ristretto

// Where there are no lanes none of these is ever called.

func haveLanes() bool { return false }

func (g *Group) decode8([]Affine, []byte) uint8                  { panic("no lanes") }
func (g *Group) encode8([]byte, []Point)                         { panic("no lanes") }
func (g *Group) map8([]Point, [][64]byte)                        { panic("no lanes") }
func (g *Group) mulEach8([]Point, *[64]int8, []Affine)           { panic("no lanes") }
func (t *Table) addLanes(*Group, []Point, *Digits, int, int) int { panic("no lanes") }
func (s *bucketSet) addLanes(*Digits, []Affine, int, int)        { panic("no lanes") }
func (s *Sum) rowSums8([]Point, int)                             { panic("no lanes") }

package web

func (s *Site) archiveRoutes() {}

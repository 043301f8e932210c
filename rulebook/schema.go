package rulebook

import (
	"encoding/json"
	"strings"
)

// Schema gives the JSON Schema (draft 2020-12) of a rulebook or a local
// rulebook, for editors: they complete keys and mark misspelt ones. It says
// less than Check does.
func Schema() []byte {
	defs := map[string]any{
		"scalar": map[string]any{"type": []string{"string", "number", "boolean"}},
		"name":   map[string]any{"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
	}
	for name, f := range forms() {
		defs[defName(name)] = objectSchema(f)
	}
	defs["stage"] = map[string]any{"oneOf": []any{refTo(fGather), refTo(fBallot), refTo(fDecide), refTo(fDraw)}}
	root := map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Rulebook",
		"description": "A rulebook of omov, or the local rulebook of a unit.",
		"if":          map[string]any{"required": []string{"within"}},
		"then":        refTo(fLocal),
		"else":        refTo(fBook),
		"$defs":       defs,
	}
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil // maps and strings always marshal
	}
	return append(out, '\n')
}

func defName(form string) string { return strings.ReplaceAll(form, " ", "_") }

func refTo(form string) map[string]any { return map[string]any{"$ref": "#/$defs/" + defName(form)} }

func objectSchema(f keySet) map[string]any {
	props := map[string]any{}
	var must []string
	for _, k := range f.keys {
		p := shapeSchema(k.shape)
		p["description"] = k.says
		props[k.name] = p
		if k.must {
			must = append(must, k.name)
		}
	}
	out := map[string]any{"type": "object", "properties": props, "additionalProperties": false}
	if len(must) > 0 {
		out["required"] = must
	}
	return out
}

// shapeSchema gives the schema of what a key holds. Values that can be a
// literal, a slot or an expression are scalars to an editor.
func shapeSchema(shape string) map[string]any {
	if form, ok := strings.CutPrefix(shape, "one:"); ok {
		return refTo(form)
	}
	if form, ok := strings.CutPrefix(shape, "list:"); ok {
		return oneOrMany(refTo(form))
	}
	if form, ok := strings.CutPrefix(shape, "map:"); ok {
		values := []any{refTo(form), map[string]any{"type": []string{"string", "null"}}}
		return map[string]any{"type": "object", "propertyNames": refTo("name"), "additionalProperties": map[string]any{"anyOf": values}}
	}
	scalar := refTo("scalar")
	switch shape {
	case "flag":
		return map[string]any{"type": "boolean"}
	case "name":
		return map[string]any{"type": "string"}
	case "names", "who", "whos", "holidays", "scale":
		return oneOrMany(scalar)
	case "threshold":
		return refTo(fThreshold)
	case "thresholds":
		return oneOrMany(refTo(fThreshold))
	case "outcomes":
		return mapOf(oneOrMany(refTo(fEffect)))
	case "takes", "parts":
		return mapOf(oneOrMany(scalar))
	case "texts", "arguments", "values":
		return mapOf(scalar)
	}
	return refTo("scalar")
}

func oneOrMany(of map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{of, map[string]any{"type": "array", "items": of}}}
}

func mapOf(of map[string]any) map[string]any {
	return map[string]any{"type": "object", "additionalProperties": of}
}

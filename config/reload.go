package config

import (
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"netmeta/internal/secret"
)

// Reload is what becomes of a running configuration when the file is read again: next
// where a running NetMeta can change, the old value where it cannot. applied and
// restart are the keys that differ.
func (c Config) Reload(next Config) (merged Config, applied, restart []string) {
	merged = c
	walk(reflect.ValueOf(&merged).Elem(), "", func(key string, v reflect.Value, tag reflect.StructTag) {
		want := at(reflect.ValueOf(next), key)
		switch {
		case equal(v, want):
		case tag.Get("reload") == "live":
			v.Set(want)
			applied = append(applied, key)
		default:
			restart = append(restart, key)
		}
	})
	return merged, applied, restart
}

// LiveKeys are the keys that Reload takes over, in the order of the file.
func LiveKeys() (keys []string) {
	walk(reflect.ValueOf(Config{}), "", func(key string, _ reflect.Value, tag reflect.StructTag) {
		if tag.Get("reload") == "live" {
			keys = append(keys, key)
		}
	})
	return keys
}

// equal takes an empty list or map for none.
func equal(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Slice, reflect.Map:
		if a.Len() == 0 && b.Len() == 0 {
			return true
		}
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}

// Public is the configuration as the file would say it, without what is secret.
func (c Config) Public() map[string]any {
	root := map[string]any{}
	walk(reflect.ValueOf(c), "", func(key string, v reflect.Value, _ reflect.StructTag) {
		value := v.Interface() // of package secret, it shows itself masked
		if k := v.Kind(); (k == reflect.Slice || k == reflect.Map) && isObject(v.Type().Elem()) {
			value = asWritten(value)
		}
		value = masked(value)
		if v.Kind() == reflect.Slice && v.Len() == 0 {
			value = []string{}
		}
		if v.Kind() == reflect.Map && v.Len() == 0 {
			value = map[string]any{}
		}
		put(root, key, value)
	})
	return root
}

// masked hides the credentials of addresses in keys that are for something else.
func masked(v any) any {
	switch v := v.(type) {
	case string:
		return secret.Mask(v)
	case []string:
		list := make([]string, len(v))
		for i, text := range v {
			list[i] = secret.Mask(text)
		}
		return list
	case map[string]string:
		m := map[string]string{}
		for key, text := range v {
			m[key] = secret.Mask(text)
		}
		return m
	}
	return v
}

// asWritten gives lists and maps of structs the keys that they have in the file.
func asWritten(v any) (written any) {
	text, err := yaml.Marshal(v)
	if err == nil {
		err = yaml.Unmarshal([]byte(secret.Mask(string(text))), &written)
	}
	if err != nil {
		panic("BUG: what was read as YAML cannot be written: " + err.Error())
	}
	return written
}

// walk calls f with each key of the file, in their order.
func walk(v reflect.Value, path string, f func(key string, v reflect.Value, tag reflect.StructTag)) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := path + field.Tag.Get("yaml")
		if isObject(field.Type) {
			walk(v.Field(i), key+".", f)
			continue
		}
		f(key, v.Field(i), field.Tag)
	}
}

// at is the value of a key.
func at(v reflect.Value, key string) (found reflect.Value) {
	walk(v, "", func(k string, v reflect.Value, _ reflect.StructTag) {
		if k == key {
			found = v
		}
	})
	return found
}

func put(m map[string]any, key string, value any) {
	for {
		head, rest, deeper := strings.Cut(key, ".")
		if !deeper {
			m[head] = value
			return
		}
		sub, ok := m[head].(map[string]any)
		if !ok {
			sub = map[string]any{}
			m[head] = sub
		}
		m, key = sub, rest
	}
}

package query

import "testing"

func TestGuarded(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"eth0":                  "eth0",
		"a=1":                   "a=1",
		" =1":                   " =1",
		`=HYPERLINK("http://")`: `'=HYPERLINK("http://")`,
		"+1+cmd|' /C calc'!A0":  "'+1+cmd|' /C calc'!A0",
		"-2+3":                  "'-2+3",
		"@SUM(1)":               "'@SUM(1)",
		"\t=1":                  "'\t=1",
		"\r=1":                  "'\r=1",
		"\n=1":                  "'\n=1",
		"＝1+1":                  "'＝1+1",
		"-":                     "'-",
		"-inf":                  "'-inf",
		"-0x1p-2":               "'-0x1p-2",
		"-5":                    "-5",
		"+4.5e-3":               "+4.5e-3",
		"-12.50":                "-12.50",
		"-5\n=1":                "'-5\n=1",
	} {
		if got := Guarded(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

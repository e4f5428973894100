-- Kommentar: äöü; 日本語; 😀
CREATE TABLE größe (naïve text, 日本 text, ключ int);
INSERT INTO größe VALUES ('😀;', 'ä;''ö', 1), ($é$;$é$, $日本$ ; $日本$, 2);
COMMENT ON TABLE größe IS 'Zeichen außerhalb der BMP: 𝄞;';
CREATE FUNCTION añadir(größe int) RETURNS int LANGUAGE sql AS $función$ SELECT größe + 1; $función$;
INSERT INTO größe SELECT '𝄞', 'x', añadir(2);

/** All kinds of things that a database of MariaDB holds. */
export const mariadbSchema = `CREATE TABLE author (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(99), upper VARCHAR(99) AS (UPPER(name)) STORED);
CREATE TABLE \`a book\` (author_id INT, title TEXT, raw BLOB, FOREIGN KEY (author_id) REFERENCES author(id) ON DELETE CASCADE);
CREATE TABLE log (what TEXT);
CREATE SEQUENCE numbers START WITH 7;
CREATE VIEW titles AS SELECT name, title FROM author JOIN \`a book\` ON id = author_id;
CREATE VIEW again AS SELECT * FROM titles;
CREATE TRIGGER noted AFTER INSERT ON \`a book\` FOR EACH ROW INSERT INTO log VALUES (NEW.title);
CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM log;
DELIMITER //
CREATE PROCEDURE add_book(title TEXT) BEGIN
INSERT INTO \`a book\` VALUES
(1, title, NULL);
IF FALSE THEN
CREATE TABLE \`never\` (
x INT);
END IF;
END//
DELIMITER ;
INSERT INTO author (name) VALUES ('Ann'), ('Bob \u{1f4da}'), ('a line
(and another ''quoted'' \\ ),(');
INSERT INTO \`a book\` VALUES (1, 'one', x'00ff0a28'), (2, 'INSERT INTO', NULL);`

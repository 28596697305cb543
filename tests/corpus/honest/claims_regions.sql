-- Regional variation on the generated claims: prefectures are the first two digits of a municipality's code.

-- Insured people per prefecture.
SELECT m.prefecture, count(*) AS persons
FROM persons p
JOIN municipalities m ON m.code = p.municipality
GROUP BY m.prefecture
ORDER BY m.prefecture;

-- Points per patient by prefecture of the facility.
SELECT m.prefecture, sum(c.points) AS points, count(DISTINCT c.pid) AS patients,
       sum(c.points) / count(DISTINCT c.pid) AS points_per_patient
FROM claims c
JOIN municipalities m ON c.municipality = m.code
GROUP BY m.prefecture
ORDER BY points_per_patient DESC;

-- Dialysis patients by prefecture, sex.
SELECT substr(p.municipality, 1, 2) AS prefecture, p.sex, count(DISTINCT p.pid) AS patients
FROM persons p JOIN claims c ON p.pid = c.pid
WHERE c.icd10 = 'N18'
GROUP BY 1, 2
ORDER BY 1, 2;

-- How many people are treated outside of the prefecture in which they live?
SELECT substr(p.municipality, 1, 2) AS home_prefecture,
       count(DISTINCT p.pid) AS patients,
       count(DISTINCT CASE WHEN substr(c.municipality, 1, 2) <> substr(p.municipality, 1, 2) THEN p.pid END) AS elsewhere
FROM persons p
JOIN claims c USING (pid)
GROUP BY 1
ORDER BY 1;

-- Patients with dementia per municipality of Tokyo.
SELECT m.code, m.name, count(DISTINCT p.pid) AS patients
FROM persons p
JOIN municipalities m ON m.code = p.municipality
JOIN claims c ON c.pid = p.pid
WHERE m.prefecture = '13' AND c.icd10 IN ('F00', 'F01', 'F03', 'G30')
GROUP BY m.code, m.name
ORDER BY patients DESC;

-- Claims per municipality of the facility, where there are at least 1,000.
SELECT c.municipality, m.name, count(*) AS claims
FROM claims c LEFT JOIN municipalities m ON m.code = c.municipality
GROUP BY c.municipality, m.name
HAVING count(*) >= 1000
ORDER BY claims DESC;

-- Rate of influenza claims per 100,000 inhabitants (modelled population) by prefecture in the winter of 2024.
WITH cases AS (
    SELECT substr(municipality, 1, 2) AS prefecture, count(DISTINCT pid) AS patients
    FROM claims
    WHERE icd10 = 'J11' AND claim_month BETWEEN DATE '2023-12-01' AND DATE '2024-03-01'
    GROUP BY 1
), inhabitants AS (
    SELECT prefecture, sum(population) AS population FROM municipalities GROUP BY prefecture
)
SELECT i.prefecture, coalesce(c.patients, 0) AS patients, i.population,
       100000.0 * coalesce(c.patients, 0) / i.population AS rate
FROM inhabitants i
LEFT JOIN cases c ON c.prefecture = i.prefecture
ORDER BY i.prefecture;

-- Cities and villages: claims per person by size of the municipality of residence.
SELECT CASE WHEN m.population >= 200000 THEN 'large city'
            WHEN m.population >= 50000 THEN 'city'
            WHEN m.population >= 10000 THEN 'town'
            ELSE 'village' END AS kind,
       count(*) AS claims, count(DISTINCT p.pid) AS patients
FROM persons p
JOIN municipalities m ON m.code = p.municipality
JOIN claims c ON c.pid = p.pid
GROUP BY 1;

-- Prefecture by age group by sex: patients with hypertension (a three-way table).
SELECT m.prefecture,
       CASE WHEN p.birth_year < 1960 THEN '65+' WHEN p.birth_year < 1980 THEN '45-64' ELSE 'under 45' END AS age,
       p.sex, count(DISTINCT p.pid) AS patients
FROM persons p
JOIN municipalities m ON m.code = p.municipality
JOIN claims c ON c.pid = p.pid
WHERE c.icd10 = 'I10'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;

-- Prefectures whose cost per claim lies above the national mean.
SELECT prefecture, mean_points
FROM (
    SELECT m.prefecture, avg(c.points) AS mean_points
    FROM claims c JOIN municipalities m ON m.code = c.municipality
    GROUP BY m.prefecture
) t
WHERE mean_points > (SELECT avg(points) FROM claims)
ORDER BY mean_points DESC;

-- Rank of prefectures by opioid-free pain treatment (classes 1149 and 2649) per patient.
SELECT prefecture, prescriptions, rank() OVER (ORDER BY prescriptions DESC) AS place
FROM (
    SELECT substr(municipality, 1, 2) AS prefecture, count(*) AS prescriptions
    FROM claims
    WHERE substr(yj, 1, 4) IN ('1149', '2649')
    GROUP BY 1
) t
ORDER BY place;

-- Facilities per prefecture.
SELECT substr(municipality, 1, 2) AS prefecture, count(DISTINCT facility) AS facilities, count(DISTINCT pid) AS patients
FROM claims
GROUP BY 1
ORDER BY 1;

-- Subtotals by prefecture and sex with a grand total.
SELECT m.prefecture, p.sex, count(*) AS persons
FROM persons p JOIN municipalities m ON p.municipality = m.code
GROUP BY ROLLUP (m.prefecture, p.sex)
ORDER BY m.prefecture, p.sex;
